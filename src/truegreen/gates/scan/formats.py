"""What text looks like in bytes: encodings and notebooks. Pure; packed forms are ``containers``'
business.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)  # fmt: skip


def encoding_of(head: bytes) -> str:
    """How ``head`` is to be read; "" for what is not text."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if b"\0" not in head:
        return "utf-8"  # or any other that has ASCII in it: the shapes are ASCII
    # UTF-16 without its mark: every other byte of mostly Latin text is zero
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        other, these = head[1 - first :: 2], head[first::2]
        if len(head) >= 4 and these.count(0) > 0.7 * len(these) and other.count(0) == 0:
            return encoding
    return ""


def decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def cells(notebook: Any) -> Iterator[tuple[int, str]]:
    """Source and printed output of each cell of a Jupyter notebook (nbformat 4)."""
    if not isinstance(notebook["cells"], list):
        raise TypeError
    for number, cell in enumerate(notebook["cells"], 1):
        yield number, _joined(cell.get("source"))
        for output in cell.get("outputs") or ():
            yield number, _joined(output.get("text"))
            yield number, _joined(output.get("traceback"))
            for kind, value in (output.get("data") or {}).items():
                if not kind.startswith("image/"):
                    yield number, _joined(value)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else json.dumps(value) if value else ""
