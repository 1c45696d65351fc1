"""``truegreen guard selftest``: the attack matrix against a real application.

Nothing of the guard imports this: it is for a terminal and a pipeline, and it may use a network.
"""
