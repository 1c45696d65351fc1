"""YAML as a tree of nodes with places, in the small part of YAML that front matter needs.

Every scalar stays the text that was written: what it means is the field's business, so ``0046``,
``no`` and ``1.10`` are no trap. Anchors, aliases, tags and merge keys are refused. Nothing here
knows incidents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from truegreen.errors import ConfigError

Plain: TypeAlias = "str | Sequence[Plain] | Mapping[str, Plain] | None"
LARGEST = 1_000_000  # characters of front matter; more is no review
DEEPEST = 20
# What plain YAML resolves to by itself; every other tag was written by somebody.
_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "seq", "map", "value"})


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place: ``start`` to ``end`` are offsets into the YAML text, ``line`` counts
    from 1. ``value`` is a text, None, a tuple of nodes, or a mapping of keys to nodes; ``keys``
    gives the place of each key. ``flow``: written with [] or {}; ``block``: a | or > scalar."""

    value: str | tuple[Node, ...] | Mapping[str, Node] | None
    start: int
    end: int
    line: int
    column: int
    flow: bool = False
    block: bool = False
    keys: Mapping[str, tuple[int, int]] | None = None  # offset, column

    @property
    def plain(self) -> Plain:
        if isinstance(self.value, tuple):
            return [item.plain for item in self.value]
        if isinstance(self.value, Mapping):
            return {key: item.plain for key, item in self.value.items()}
        return self.value

    def __getitem__(self, key: str | int) -> Node:
        if isinstance(self.value, tuple) and isinstance(key, int):
            return self.value[key]
        assert isinstance(self.value, Mapping)
        return self.value[str(key)]


def read_tree(text: str, *, file: str, first_line: int = 1) -> Node:
    """The tree of ``text``, whose first line is line ``first_line`` of ``file``.

    Raises ConfigError, with line and what to do, for everything that is not plain YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    def fail(line: int, problem: str, fix: str = "") -> ConfigError:
        return ConfigError(f"{file}:{first_line + line}", "front matter", problem, fix=fix)

    if len(text) > LARGEST:
        raise fail(0, f"is longer than {LARGEST} characters", "keep logs out of it, and cite them")
    for number, line in enumerate(text.splitlines()):
        if re.match(r"(<{7}|>{7}|={7})( |$)", line):
            raise fail(number, "holds an unresolved merge conflict", "resolve it: two versions")
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = " ".join(filter(None, (error.context, error.problem))) or "is not YAML"
        raise fail(mark.line if mark else 0, f"is not YAML: {told}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise fail(0, f"is not YAML: {type(error).__name__}: {error}".splitlines()[0]) from error

    seen: set[int] = set()

    def convert(node: object, depth: int) -> Node:
        assert isinstance(node, ScalarNode | SequenceNode | MappingNode)
        line, column = node.start_mark.line, node.start_mark.column
        start, end = node.start_mark.index, node.end_mark.index
        if depth > DEEPEST:
            raise fail(line, f"is nested deeper than {DEEPEST} levels")
        if id(node) in seen or node.anchor:
            raise fail(line, "uses an anchor or an alias", "write the value out in both places")
        seen.add(id(node))
        if str(node.tag or "").removeprefix("tag:yaml.org,2002:") not in _TAGS:
            raise fail(line, f"uses the tag {node.tag}", "leave the tag away")
        place = (start, end, first_line + line, column)
        if isinstance(node, ScalarNode):
            value: str | None = str(node.value)
            if not node.style and value in ("", "~", "null", "Null", "NULL"):
                value = None
            return Node(value, *place, block=node.style in ("|", ">"))
        if isinstance(node, SequenceNode):
            items = tuple(convert(item, depth + 1) for item in node.value)
            return Node(items, *place, flow=bool(node.flow_style))
        found: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line
            if not isinstance(key_node, ScalarNode):
                raise fail(key_line, "has a key that is no text")
            key = str(key_node.value)
            if key == "<<":
                raise fail(key_line, "uses a merge key", "write the values out")
            if key in found:
                raise fail(
                    key_line,
                    f"says {key!r} twice, and the two conflict (first in line {found[key].line})",
                    "keep one of them",
                )
            found[key] = convert(value_node, depth + 1)
            keys[key] = (key_node.start_mark.index, key_node.start_mark.column)
        return Node(found, *place, flow=bool(node.flow_style), keys=keys)

    if root is None:
        return Node({}, 0, 0, first_line, 0, keys={})
    tree = convert(root, 0)
    if not isinstance(tree.value, Mapping):
        raise fail(0, "is not a list of keys and values", "write key: value, a line each")
    return tree


_BARE = re.compile(r"[A-Za-z0-9(/.][^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]*\Z")
_NOT_BARE = re.compile(r": |:\Z| #|\s\Z|\A(~|null|true|false)\Z|\A(---|\.\.\.)|[\[\]{},]", re.I)


def scalar(value: str | None) -> str:
    """``value`` as YAML on one line; bare where that reads the same again."""
    if value is None:
        return "null"
    if _BARE.match(value) and not _NOT_BARE.search(value):
        return value
    return _escaped(value)


def _escaped(value: str) -> str:
    quoted = json.dumps(value, ensure_ascii=False)
    hidden = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
    return hidden.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def key_text(key: str) -> str:
    """``key`` as it stands before its colon."""
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", key) else _escaped(key)


def lines(value: Plain, indent: int) -> Iterator[str]:
    """The lines of a mapping or list in block style, without line ends."""
    pad = " " * indent
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{pad}{key_text(key)}:", item, indent)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            if isinstance(item, Mapping) and item:
                nested = list(lines(item, indent + 2))
                yield f"{pad}- {nested[0].lstrip()}"
                yield from nested[1:]
            else:
                yield from _entry(f"{pad}-", item, indent)
    else:
        assert value is None or isinstance(value, str)
        yield pad + scalar(value)


def _entry(head: str, item: Plain, indent: int) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield head
        yield from lines(item, indent + 2)
    elif isinstance(item, Sequence) and not isinstance(item, str):
        if all(isinstance(one, str) or one is None for one in item):
            yield f"{head} {flow(item)}"
        else:
            yield head
            yield from lines(item, indent + 2)
    else:
        yield f"{head} {flow(item)}"


def flow(value: Plain) -> str:
    """``value`` on one line."""
    if isinstance(value, Mapping):
        told = ", ".join(f"{key_text(key)}: {flow(item)}" for key, item in value.items())
        return "{" + told + "}"
    if value is None or isinstance(value, str):
        return scalar(value)
    return "[" + ", ".join(flow(item) for item in value) + "]"
