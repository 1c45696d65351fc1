"""A strict reader of one JSON object: every error names the object, the field and what it is.

Knows nothing of what the fields mean; models.py does. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from truegreen.errors import Unverified


class UnexpectedAnswer(Unverified):
    """The platform answered with success, and the answer is not what the API promises.

    ``what`` is the object (``release``), ``field`` the dotted path in it, empty for the whole.
    """

    def __init__(self, what: str, field: str, problem: str, *, hint: str = "") -> None:
        where = f"{what}.{field}" if field else what
        super().__init__(f"the platform's answer is not understood: {where} {problem}", hint=hint)
        self.what = what
        self.field = field
        self.problem = problem


def parse_json(body: bytes, *, what: str, content_type: str = "") -> Any:
    """The JSON in ``body``. Raises UnexpectedAnswer; HTML (a login page, a proxy) is named so."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] == b"<" or "html" in content_type.lower():
            raise UnexpectedAnswer(
                what, "", "is HTML, not JSON", hint="does the URL lead to a Platform API at all?"
            ) from None
        if not body.strip():
            raise UnexpectedAnswer(what, "", "is empty, not JSON") from None
        if isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip()):
            raise UnexpectedAnswer(what, "", "is cut-off JSON") from None
        raise UnexpectedAnswer(what, "", "is not valid JSON") from None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


class Fields:
    """Reads typed fields out of one object. A missing or wrong one raises UnexpectedAnswer."""

    __slots__ = ("_data", "_path", "what")

    def __init__(self, what: str, data: Any, path: str = "") -> None:
        self.what = what
        self._path = path
        if not isinstance(data, Mapping):
            raise UnexpectedAnswer(what, path, f"is {kind(data)}, not an object")
        self._data: Mapping[str, Any] = data

    def wrong(self, name: str, problem: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(self.what, f"{self._path}.{name}".lstrip("."), problem)

    def _required(self, name: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise self.wrong(name, "is null" if name in self._data else "is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None when absent or null."""
        value = self._data.get(name)
        return None if value is None else self._text(name, value)

    def text(self, name: str, *, one_of: Iterable[str] = ()) -> str:
        """A string that is there and not empty; one of ``one_of`` when that is given."""
        value = self._text(name, self._required(name))
        if not value:
            raise self.wrong(name, "is empty")
        choices = tuple(one_of)
        if choices and value not in choices:
            raise self.wrong(name, f"is {value[:80]!r}, none of {', '.join(choices)}")
        return value

    def _text(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(name, f"is {kind(value)}, not a string")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise self.wrong(name, "holds half of a surrogate pair, no text") from None
        return value

    def whole(self, name: str, *, least: int = 0) -> int:
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, f"is {kind(value)}, not a whole number")
        if value < least:
            raise self.wrong(name, f"is {value}, below {least}")
        return value

    def optional_flag(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, f"is {kind(value)}, not a boolean")
        return value

    def flag(self, name: str) -> bool:
        self._required(name)
        return bool(self.optional_flag(name))

    def optional_moment(self, name: str) -> datetime | None:
        """An ISO 8601 time with an offset, as UTC; None when absent or null."""
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError("no offset")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name, f"is {text[:80]!r}, not a time with an offset") from None

    def moment(self, name: str) -> datetime:
        self._required(name)
        value = self.optional_moment(name)
        assert value is not None
        return value

    def optional_object(self, name: str) -> Fields | None:
        value = self._data.get(name)
        if value is None:
            return None
        return Fields(self.what, value, f"{self._path}.{name}".lstrip("."))

    def object(self, name: str) -> Fields:
        self._required(name)
        value = self.optional_object(name)
        assert value is not None
        return value

    def optional_texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty when absent or null."""
        value = self._data.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong(name, f"is {kind(value)}, not a list")
        return tuple(self._text(f"{name}[{index}]", item) for index, item in enumerate(value))

    def every_text(self) -> dict[str, str]:
        """The whole object as strings by name. An error names the key and never the value."""
        for index, name in enumerate(self._data):
            self._text(f"(name {index})", name)
        return {name: self._text(name, self._required(name)) for name in self._data}

    def reference(self, name: str, field: str = "id") -> str | None:
        """``field`` of the object ``name``; None when that object is absent or null."""
        inner = self.optional_object(name)
        return None if inner is None else inner.text(field)


def kind(value: Any) -> str:
    """What a JSON value is, in words for an error."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    names: dict[type, str] = {str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
