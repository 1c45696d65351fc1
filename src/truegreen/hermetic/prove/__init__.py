"""Perturb and compare: which variable, with which value, changes which test's outcome.

``run`` is the way in; ``plan`` and ``compare`` decide, ``client`` and ``forkserver`` carry out.
Knows nothing of platforms: the values that a platform really has are handed in.
"""
