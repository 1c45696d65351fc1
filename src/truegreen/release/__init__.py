"""The release command: preflight, migrate, smoke, and the report trailer that proves them.

Runs on a production dyno: needs click and the service's own packages, nothing of ``[ops]``.
"""
