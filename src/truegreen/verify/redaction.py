"""Takes secrets out of captured output before anybody quotes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from truegreen.secret import REDACTED

_IN_URL = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^\s/@'\"]{1,256}@")
_SHORTEST = 12  # characters; a shorter value may be a word that happens to be in the text


class Redaction:
    """Replaces the values of config vars by their names, and the user part of every URL."""

    def __init__(self, config: Mapping[str, str]) -> None:
        # Longest first: one value may contain another.
        self._values = sorted(
            ((value, name) for name, value in config.items() if len(value) >= _SHORTEST),
            key=lambda pair: -len(pair[0]),
        )

    def of(self, text: str) -> str:
        """``text`` without them."""
        for value, name in self._values:
            if value in text:
                text = text.replace(value, f"[{name}]")
        return _IN_URL.sub(rf"\g<scheme>{REDACTED}@", text)
