"""Changes YAML text to say something new, touching only what differs: comments, order, quotes and
layout of all else stay. The result is read again and compared; a change that did not take is an
error, never a wrong file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truegreen.errors import TrueGreenError
from truegreen.incidents.document.tree import Node, Plain, flow, key_text, lines, read_tree, scalar


@dataclass(frozen=True, slots=True)
class Splice:
    """``text`` in place of ``start`` to ``end``."""

    start: int
    end: int
    text: str


def respeak(text: str, wanted: Mapping[str, Plain], *, file: str = "front matter") -> str:
    """``text`` changed to say ``wanted``. Raises TrueGreenError when that did not work out."""
    tree = read_tree(text, file=file)
    after = text
    if not tree.value:  # nothing there but, perhaps, comments
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}" + "".join(f"{line}\n" for line in lines(wanted, 0))
    changes = _changes(text, tree, wanted)
    # From the end; of two insertions at one place, the inner one (listed first) comes first.
    order = sorted(range(len(changes)), key=lambda index: (changes[index].start, index))
    for splice in (changes[index] for index in reversed(order)):
        after = after[: splice.start] + splice.text + after[splice.end :]
    try:
        good = _said(read_tree(after, file=file).plain) == _said(wanted)
    except TrueGreenError:
        good = False
    if not good:
        after = _again(text, tree, wanted)
        if _said(read_tree(after, file=file).plain) != _said(wanted):
            raise TrueGreenError(f"{file}: the change cannot be written into it")
    return after


def _said(value: Plain) -> Plain:
    """``value`` as lists and dicts, so that two may be compared."""
    if isinstance(value, Mapping):
        return {key: _said(item) for key, item in value.items()}
    if isinstance(value, str) or value is None:
        return value
    return [_said(item) for item in value]


def _changes(text: str, node: Node, wanted: Plain) -> list[Splice]:
    if _said(node.plain) == _said(wanted):
        return []
    if isinstance(node.value, Mapping) and isinstance(wanted, Mapping) and node.value and wanted:
        return _of_mapping(text, node, wanted)
    if (
        isinstance(node.value, tuple)
        and isinstance(wanted, Sequence)
        and not isinstance(wanted, str)
        and node.value
    ):
        there, now = len(node.value), len(wanted)
        if now >= there and not (node.flow and now > there):
            changes = [
                change
                for item, told in zip(node.value, wanted, strict=False)
                for change in _changes(text, item, told)
            ]
            if now > there:
                added = "\n".join(lines(list(wanted[there:]), node.column)) + "\n"
                changes.append(_inserted(text, node, added))
            return changes
    return [_replaced(text, node, wanted)]


def _of_mapping(text: str, node: Node, wanted: Mapping[str, Plain]) -> list[Splice]:
    assert isinstance(node.value, Mapping)
    assert node.keys is not None
    if node.flow and set(node.value) != set(wanted):
        return [Splice(node.start, node.end, flow(wanted))]
    changes: list[Splice] = []
    for key, item in node.value.items():
        if key in wanted:
            changes += _changes(text, item, wanted[key])
        else:
            start = _line_start(text, node.keys[key][0])
            changes.append(Splice(start, _after(text, item), ""))
    new = {key: value for key, value in wanted.items() if key not in node.value}
    if new:
        column = min(column for _, column in node.keys.values())
        added = "\n".join(lines(new, column)) + "\n"
        changes.append(_inserted(text, node, added))
    return changes


def _replaced(text: str, node: Node, wanted: Plain) -> Splice:
    if node.value is None and node.start == node.end:  # "key:" with nothing behind it
        gap = "" if text[node.start - 1 : node.start] in (" ", "") else " "
        return Splice(node.start, node.end, gap + flow(wanted))
    nested = isinstance(wanted, Mapping | Sequence) and not isinstance(wanted, str) and wanted
    if nested and not node.flow and not isinstance(node.value, str) and node.value:
        body = "\n".join(lines(wanted, node.column)).lstrip(" ")
        return Splice(node.start, _content_end(text, node), body)
    told = scalar(wanted) if wanted is None or isinstance(wanted, str) else flow(wanted)
    return Splice(node.start, _content_end(text, node), told)


def _inserted(text: str, node: Node, added: str) -> Splice:
    at = _after(text, node)
    gap = "" if at == 0 or text[at - 1] == "\n" else "\n"
    return Splice(at, at, gap + added)


def _content_end(text: str, node: Node) -> int:
    """Where the last value of ``node`` ends: a block's own end lies behind blank lines and
    comments that belong to what follows."""
    if node.value is None or (isinstance(node.value, str) and not node.block) or node.flow:
        return node.end
    if isinstance(node.value, Mapping) and node.value:
        return max(_content_end(text, item) for item in node.value.values())
    if isinstance(node.value, tuple) and node.value:
        return _content_end(text, node.value[-1])
    return node.start + len(text[node.start : node.end].rstrip())


def _after(text: str, node: Node) -> int:
    """The beginning of the line behind ``node`` (a comment on its own line stays with it)."""
    end = text.find("\n", max(_content_end(text, node), node.start))
    return len(text) if end < 0 else end + 1


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _again(text: str, tree: Node, wanted: Mapping[str, Plain]) -> str:
    """Every key of the top that differs written anew, as a whole; the others stay."""
    assert isinstance(tree.value, Mapping)
    assert tree.keys is not None
    if tree.flow:
        return "\n".join(lines(wanted, 0)) + "\n"
    starts = sorted(offset for offset, _ in tree.keys.values())
    kept: list[str] = [text[: _line_start(text, starts[0])]] if starts else [text]
    for key, (offset, _) in sorted(tree.keys.items(), key=lambda one: one[1][0]):
        later = [start for start in starts if start > offset]
        end = _line_start(text, later[0]) if later else len(text)
        if key in wanted and _said(tree[key].plain) == _said(wanted[key]):
            block = text[_line_start(text, offset) : end]
            kept.append(block if block.endswith("\n") else block + "\n")
        elif key in wanted:
            kept.append("\n".join(lines({key: wanted[key]}, 0)) + "\n")
    new = {key: value for key, value in wanted.items() if key not in tree.value}
    if new:
        kept.append("\n".join(lines(new, 0)) + "\n")
    return "".join(kept)


__all__ = ["Splice", "key_text", "respeak"]
