"""Ships as jobs: a runner writes one down, a worker on whatever machine carries it out.

``order`` says what is asked for, ``queue`` keeps it in the shared Postgres, ``follow`` looks on,
``worker`` takes jobs and has each carried out by a process of its own (``child``), in a checkout of
its own (``checkout``). ``carrying`` is the ship itself, with or without a worker. Nothing here asks
a platform; design: docs/workers.md.
"""
