"""A run of drills as one page: no script, no font, no other file. From the document of
``drill run``.

The timeline's bars are placed in percent of its width and its texts in pixels, so that it is as
legible on a phone as on a wall. Colours follow the reader's light or dark scheme; what a colour
says, a shape or a word says too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from truegreen.outputs.drill_table import gap_now, gap_then_in_full

_LANE = 64  # pixels of a drill
_TOP = 34  # pixels above the first
_TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)  # seconds between two marks of the axis
_STYLE = """
  :root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --soft: #57606a;
          --line: #d8dee4; --good: #1a7f37; --wait: #8c959f; --gap: #b42318; --fault: #9a6700; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #14181d; --ink: #e6edf3; --soft: #9aa5b1; --line: #30363d; --good: #57ab5a;
            --wait: #6e7681; --gap: #ff8a80; --fault: #e3b341; } }
  body { margin: 0 auto; max-width: 64rem; padding: 1.25rem 1rem 3rem; background: var(--paper);
         color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
  h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
  p { margin: .25rem 0; } .soft { color: var(--soft); } .bad { color: var(--gap); }
  svg { display: block; width: 100%; overflow: visible; }
  svg text { font-size: 13px; fill: var(--ink); } svg .small { font-size: 12px; fill: var(--soft); }
  .axis { stroke: var(--line); stroke-width: 1; } .control { fill: var(--good); }
  .fault { fill: var(--wait); } .gap { fill: var(--gap); } .true { stroke: var(--fault);
  stroke-width: 3; } .reported { stroke: var(--gap); stroke-width: 3; }
  .key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
  .key svg { display: inline-block; width: 22px; vertical-align: middle; margin-right: .4rem; }
  dl { margin: 0; } .drill { border-top: 1px solid var(--line); padding: .75rem 0; }
  .drill h3 { font-size: 1rem; margin: 0; } .numbers { display: grid; gap: 0 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); margin: .25rem 0; }
  .numbers dt { color: var(--soft); font-size: .85rem; } .numbers dd { margin: 0; }
  .numbers div { min-width: 0; overflow-wrap: anywhere; } code { font-size: .9em; }
"""


def page(told: Mapping[str, Any]) -> str:
    """The page of ``told``, the document of ``drill run``."""
    drills = told["drills"]
    good = sum(1 for drill in drills if drill["passed"])
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{good} of {len(drills)} drills passed</title><style>{_STYLE}</style></head><body>",
        f"<h1>{good} of {len(drills)} drills passed</h1>",
        '<p class="soft">Each puts a fault in, and a named check has to report it in time; '
        "beside it runs a control without the fault, which has to stay green.</p>",
        "<h2>Timeline</h2>",
        '<p class="soft">Seconds since a drill began; on the right, how long its detection took.'
        "</p>",
        _key(),
        timeline(drills),
        "<h2>Detection gaps</h2>",
        *(_drill(drill) for drill in drills),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def timeline(drills: Sequence[Mapping[str, Any]]) -> str:
    """The drills as one SVG: a lane each, seconds since its runs began from left to right."""
    longest = max((_length(drill) for drill in drills), default=0.0) or 1.0
    height = _TOP + len(drills) * _LANE
    told = f"{len(drills)} drills, of {longest:.0f} seconds at most"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" height="{height}" role="img" '
        f'aria-label="{told}"><title>{told}</title>',
        *_axis(longest, height),
    ]
    for index, drill in enumerate(drills):
        parts += _lane(drill, _TOP + index * _LANE, longest)
    return "\n".join([*parts, "</svg>"])


def _length(drill: Mapping[str, Any]) -> float:
    times = [run["times"] for run in drill["runs"] if run["times"]]
    return float(max((one["ended"] for one in times), default=0.0) - _start(drill))


def _start(drill: Mapping[str, Any]) -> float:
    return float(min((run["times"]["began"] for run in drill["runs"] if run["times"]), default=0.0))


def _axis(longest: float, height: int) -> list[str]:
    step = next((tick for tick in _TICKS if longest / tick <= 5), _TICKS[-1])
    parts: list[str] = []
    for second in range(0, int(longest) + 1, step):
        x = f"{100 * second / longest:.2f}%"
        anchor = "start" if second == 0 else "end" if second > longest * 0.9 else "middle"
        parts += [
            f'<line class="axis" x1="{x}" x2="{x}" y1="20" y2="{height}"/>',
            f'<text class="small" x="{x}" y="14" text-anchor="{anchor}">{second} s</text>',
        ]
    return parts


def _lane(drill: Mapping[str, Any], top: int, longest: float) -> list[str]:
    name, gap = escape(drill["name"]), drill["gap"]
    mark = "✔" if drill["passed"] else "?" if drill["unmade"] else "✘"
    told = f"{mark} {name}"
    parts = [
        f"<g><title>{name}: {escape(drill['check'])} after {gap_now(gap)}</title>",
        f'<text x="0" y="{top + 18}">{told}</text>',
        f'<text class="small" x="100%" y="{top + 18}" text-anchor="end">{gap_now(gap)}</text>',
    ]
    start = _start(drill)
    for run in drill["runs"]:
        if run["times"] is None:
            continue
        times: dict[str, Any] = {
            name: None if at is None else at - start for name, at in run["times"].items()
        }
        y = top + (27 if run["control"] else 41)
        style = "control" if run["control"] else "fault"
        parts.append(_bar(style, times["began"], times["ended"], y, longest))
        if times["true"] is None:
            continue
        if times["reported"] is not None:
            parts.append(_bar("gap", times["true"], times["reported"], y, longest))
            parts.append(_stroke("reported", times["reported"], y, longest))
        parts.append(_stroke("true", times["true"], y, longest))
    return [*parts, "</g>"]


def _bar(style: str, began: float, ended: float, y: int, longest: float) -> str:
    left, wide = 100 * began / longest, 100 * max(0.0, ended - began) / longest
    return f'<rect class="{style}" x="{left:.2f}%" y="{y}" width="{wide:.2f}%" height="10" rx="2"/>'


def _stroke(style: str, at: float, y: int, longest: float) -> str:
    x = f"{100 * at / longest:.2f}%"
    low, high = (y - 4, y + 7) if style == "true" else (y + 3, y + 14)
    return f'<line class="{style}" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _key() -> str:
    entries = (
        ('<rect class="control" y="4" width="22" height="10" rx="2"/>', "control, green"),
        ('<rect class="fault" y="4" width="22" height="10" rx="2"/>', "run with the fault"),
        ('<line class="true" x1="11" x2="11" y1="0" y2="11"/>', "upwards: the fault is true"),
        (
            '<line class="reported" x1="11" x2="11" y1="7" y2="18"/>',
            "downwards: its check reports it",
        ),
    )
    items = "".join(
        f'<li><svg height="18" aria-hidden="true">{drawn}</svg>{text}</li>'
        for drawn, text in entries
    )
    return f'<ul class="key soft">{items}</ul>'


def _drill(drill: Mapping[str, Any]) -> str:
    gap = drill["gap"]
    fault = next((run for run in drill["runs"] if not run["control"]), None)
    state = "passed" if drill["passed"] else "could not be made" if drill["unmade"] else "failed"
    style = "soft" if drill["passed"] else "bad"
    numbers = (
        ("reported by", f"<code>{escape(drill['check'])}</code>"),
        ("gap now", escape(gap_now(gap))),
        ("gap then", escape(gap_then_in_full(gap))),
    )
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers)
    problems = [*drill["problems"], *(one for run in drill["runs"] for one in run["problems"])]
    lines = "".join(f'<p class="bad">✘ {escape(problem)}</p>' for problem in problems)
    said = f"<p>{escape(fault['truegreen']['sentence'])}</p>" if fault else ""
    return (
        f'<section class="drill"><h3>{escape(drill["title"] or drill["name"])}</h3>'
        f'<p class="{style}"><code>{escape(drill["name"])}</code>: {state}</p>'
        f'<dl class="numbers">{cells}</dl>{said}{lines}</section>'
    )
