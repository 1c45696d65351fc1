"""The scan gate: personal data and secrets in the tree that would be shipped.

``text`` finds them in one text (pure), ``numbers`` holds the checks that a card, an SSN or an IBAN
must pass, ``placeholders`` what is public documentation, ``judge`` weighs hits against the
allow list, ``gate`` reads the tree from git. A value that was found is never printed.
"""

from truegreen.gates.scan.text import Hit, scan_text

__all__ = ["Hit", "scan_text"]
