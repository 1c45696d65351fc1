"""The scan gate: personal data and secrets in what would be shipped. A value that was found is
never printed.

The way of a byte: ``sources`` (a commit's tree, a diff, the history, a slug, files) give blobs;
``containers`` opens what is packed or encoded into texts; ``scanner`` asks an engine (``engines``)
where something could be, and the ``kinds`` whether it is; ``judge`` weighs what was found against
the ``suppressions``. ``rules`` is all that is looked for, ``cache`` remembers blobs, ``gate``
answers. docs/scan.md tells it from the outside.

Kept empty of imports: ``gate`` is loaded by every ship, the engines only when there is something
to scan.
"""
