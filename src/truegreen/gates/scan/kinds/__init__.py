"""What is looked for, one kind of thing a file. Each turns a candidate of an engine (bytes
``start`` to ``end`` of a buffer) into matches, or into nothing; all of it pure.
"""
