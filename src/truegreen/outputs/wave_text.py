"""A wave for a person, from its JSON: a headline, the pull requests, what needs a second look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = 12  # pull requests, or commits where there are none


def headline(wave: Mapping[str, Any]) -> str:
    """The wave in one sentence."""
    relation = wave["relation"]
    if relation == "unknown":
        return f"wave unknown: {wave['why']}"
    if relation == "first":
        return "wave: the first release, nothing serves yet"
    span = f"{str(wave['base'])[:8]} → {str(wave['head'])[:8]}"
    if relation == "same":
        return f"wave: nothing new, {span[:8]} serves already"
    told = [_count(wave["commits"], "commit"), _count(wave["prs"], "pull request")]
    if wave["migrations"]:
        told.append(_count(wave["migrations"], "migration"))
    if wave["flags"]:
        told.append(_count(wave["flags"], "flag"))
    text = f"wave {span}: {', '.join(told)}"
    if wave["taken_back"]:
        text += f"; takes back {_count(wave['taken_back'], 'commit')} that serve"
    return text


def lines(wave: Mapping[str, Any]) -> list[str]:
    """The headline, and what goes out in short."""
    told = [headline(wave)]
    if wave["relation"] in ("unknown", "first", "same"):
        return told
    items: Sequence[str] = [f"#{one['number']} {one['title']}" for one in wave["prs"]]
    if not items:
        items = [f"{one['id'][:8]} {one['subject']}" for one in wave["commits"]]
    told += [f"  {item}" for item in items[:SHOWN]]
    if len(items) > SHOWN:
        told.append(f"  and {len(items) - SHOWN} more")
    if wave["authors"]:
        told.append("  by " + ", ".join(wave["authors"]))
    told += [f"  migration {path}" for path in wave["migrations"]]
    told += [f"  flag {one['name']} {one['what']}" for one in wave["flags"]]
    return told


def _count(items: Sequence[Any], what: str) -> str:
    return f"{len(items)} {what}{'' if len(items) == 1 else 's'}"
