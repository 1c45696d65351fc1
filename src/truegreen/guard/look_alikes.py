"""Targets that only look like a path: what must not be taken for an exempt one. Pure data; what
they are sent for is attacks.py's.
"""

from __future__ import annotations

from collections.abc import Mapping


def look_alikes(path: bytes) -> Mapping[str, bytes]:
    """Targets of requests that are not for ``path``, by what they try."""
    last = path.rstrip(b"/") or b"/x"
    targets = {
        "doubled_slash": b"/" + path,
        "trailing_slash": path.rstrip(b"/") + (b"//" if path.endswith(b"/") else b"/"),
        "upper_case": path.swapcase(),
        "dot_segment": b"/." + path,
        "parent_segment": b"/x/.." + path,
        "goes_on": last + b"/../admin",
        "goes_on_encoded": last + b"/%2e%2e/admin",
        "trailing_dot": last + b".",
        "prefix": last + b"z",
        "parameter": last + b";x",
        "encoded_slash": last + b"%2f",
        "encoded_null": last + b"%00",
        "encoded_newline": last + b"%0a",
        "encoded_twice": last[:-1] + b"%25" + last[-1:].hex().encode(),
        "encoded_question": last + b"%3fx",
        "in_the_query": b"/?" + path,
        "blank": last + b"%20",
    }
    return {name: target for name, target in targets.items() if target != path}
