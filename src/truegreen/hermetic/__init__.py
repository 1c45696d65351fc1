"""Around an in-process test session: the seal, the recorder of what leaks, the pytest plugin.

Standard library only but for ``plugin``, which needs the service's own pytest. Knows nothing of
releases: ``truegreen.release`` calls it.
"""
