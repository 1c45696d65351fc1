"""A reader of the TypeScript that Heroku's schema package declares its types in, and a checker.

It knows what json-schema-to-typescript writes: interfaces, literals, unions, lists, objects in
place, and references. Anything else is an error, not a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?|[A-Za-z_$][\w$]*|[{}\[\]():|?&,;<>]")
_PRIMITIVES = {
    "string": (str,), "boolean": (bool,), "null": (type(None),), "object": (dict,),
    "undefined": (type(None),),
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    name: str


@dataclass(frozen=True)
class Literal:
    value: Any


@dataclass(frozen=True)
class ListOf:
    of: Any


@dataclass(frozen=True)
class Union:
    of: tuple[Any, ...]


@dataclass(frozen=True)
class Both:
    of: tuple[Any, ...]


@dataclass
class Shape:
    """``open``: may hold more than ``fields``, of type ``rest`` (None: any)."""

    fields: dict[str, Any] = field(default_factory=dict)
    rest: Any = None
    open: bool = False


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(_COMMENT.sub("", text))
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self, wanted: str = "") -> str:
        token = self.peek()
        assert token, "the file ends in the middle"
        assert wanted in ("", token), f"{wanted!r} was due at {self._tokens[self._at - 5 :][:10]}"
        self._at += 1
        return token

    def skip(self, *tokens: str) -> None:
        while self.peek() in tokens:
            self._at += 1

    def declarations(self) -> Iterator[tuple[str, Any]]:
        while self.peek():
            self.next("export")
            kind, name = self.next(), self.next()
            if kind == "type":
                yield name, self.union()
            else:
                assert kind == "interface", kind
                yield name, self.shape()
            self.skip(";")

    def union(self) -> Any:
        self.skip("|")
        parts = [self.both()]
        while self.peek() == "|":
            self.next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Union(tuple(parts))

    def both(self) -> Any:
        parts = [self.one()]
        while self.peek() == "&":
            self.next()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def one(self) -> Any:
        token = self.peek()
        if token == "{":
            found: Any = self.shape()
        elif token == "(":
            self.next()
            found = self.union()
            self.next(")")
        elif token == "[":
            self.next()
            found = ListOf(self.union())
            while self.peek() != "]":
                self.next()
            self.next("]")
        else:
            self.next()
            if token[0] in "'\"":
                found = Literal(token[1:-1])
            elif token.lstrip("-").isdigit():
                found = Literal(int(token))
            elif token in ("true", "false"):
                found = Literal(token == "true")
            else:
                assert re.fullmatch(r"[A-Za-z_$][\w$]*", token), token
                found = Named(token)
        while self.peek() == "[":
            self.next()
            self.next("]")
            found = ListOf(found)
        return found

    def shape(self) -> Shape:
        self.next("{")
        made = Shape()
        while self.peek() != "}":
            if self.peek() == "[":
                self.next()
                self.next()
                self.next(":")
                self.next()
                self.next("]")
                self.next(":")
                made.open, made.rest = True, self.union()
            else:
                name = self.next().strip("'\"")
                self.skip("?")
                self.next(":")
                made.fields[name] = self.union()
            self.skip(";", ",")
        self.next("}")
        return made


class Schema:
    """The types that ``text``, a file of declarations, has."""

    def __init__(self, text: str) -> None:
        self.types: dict[str, Any] = dict(_Reader(text).declarations())

    def problems(self, name: str, value: Any) -> list[str]:
        """What is wrong with ``value`` as a ``name``: types, and fields that are not there."""
        shape = self.types[name]
        missing = sorted(set(shape.fields) - set(value)) if isinstance(shape, Shape) else []
        return [f"{name}.{one} is not there" for one in missing] + self._wrong(name, shape, value)

    def _wrong(self, where: str, wanted: Any, value: Any) -> list[str]:
        if isinstance(wanted, Named):
            if wanted.name in self.types:
                return self._wrong(where, self.types[wanted.name], value)
            if wanted.name in ("any", "unknown"):
                return []
            if wanted.name == "number":
                good = isinstance(value, (int, float)) and not isinstance(value, bool)
            else:
                good = isinstance(value, _PRIMITIVES[wanted.name])
            return [] if good else [f"{where} is {value!r}, not {wanted.name}"]
        if isinstance(wanted, Literal):
            same = value == wanted.value and type(value) is type(wanted.value)
            return [] if same else [f"{where} is {value!r}, not {wanted.value!r}"]
        if isinstance(wanted, ListOf):
            if not isinstance(value, list):
                return [f"{where} is {value!r}, not a list"]
            named = [(f"{where}[{number}]", one) for number, one in enumerate(value)]
            return [problem for name, one in named for problem in self._wrong(name, wanted.of, one)]
        if isinstance(wanted, Union):
            tried = [self._wrong(where, one, value) for one in wanted.of]
            return min(tried, key=len)
        if isinstance(wanted, Both):
            return [problem for one in wanted.of for problem in self._wrong(where, one, value)]
        assert isinstance(wanted, Shape)
        if not wanted.fields and not wanted.open:
            return []  # in TypeScript an empty interface is anything
        if not isinstance(value, dict):
            return [f"{where} is {value!r}, not an object"]
        found = []
        for key, inner in value.items():
            if key in wanted.fields:
                found += self._wrong(f"{where}.{key}", wanted.fields[key], inner)
            elif wanted.open:
                found += self._wrong(f"{where}.{key}", wanted.rest, inner)
            else:
                found.append(f"{where}.{key} is not in the schema")
        return found
