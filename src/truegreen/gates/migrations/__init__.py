"""The migrations gate: what would the migrations of this commit do to the database that is there?

``gate`` asks, ``judge`` decides (pure), ``timeline`` tells a person. What executes revisions is in
``child``, and runs in processes of its own.
"""

from truegreen.gates.migrations.gate import NAME, ask

__all__ = ["NAME", "ask"]
