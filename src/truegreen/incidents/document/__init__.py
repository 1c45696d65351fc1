"""The incident review as a document: Markdown with YAML front matter, read to frozen values and
written back without loss. What a verb changes is spliced into the text; all else stays as it is,
byte for byte.

``values`` holds the values, ``fields`` says how each stands in YAML, ``tree`` and ``splice`` are
YAML itself, ``body`` the Markdown, ``prose`` what can be read of a review without front matter.
"""

from truegreen.incidents.document.read import Document, parse, write
from truegreen.incidents.document.values import (
    Action,
    Closed,
    Detection,
    Incident,
    Proof,
    Red,
    Waiver,
)

__all__ = [
    "Action",
    "Closed",
    "Detection",
    "Document",
    "Incident",
    "Proof",
    "Red",
    "Waiver",
    "parse",
    "write",
]
