"""The freeze calendar as one SVG file: no script, no font, no other file. From its JSON.

Closed time is hatched as well as coloured, so that it reads in grey and for every eye. Colours
follow the reader's light or dark scheme; each day says in a title what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from truegreen.outputs.freeze_text import WEEKDAYS, months_of, share_closed, window_lines

_CELL_W, _CELL_H, _GAP = 34, 26, 3
_MONTH_W = 7 * (_CELL_W + _GAP) + 24
_HEAD = 46  # above the cells of a month: its name, the weekdays
_MONTH_H = _HEAD + 6 * (_CELL_H + _GAP) + 10
_LEFT, _TOP = 20, 64
_LINE = 19
_SHOWN = 20  # windows that are listed below
_STYLE = """
  :root { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --cell: #eef1f4; --shut: #b42318;
          --wash: #f9d9d5; --today: #0b57d0; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #14181d; --ink: #e6edf3; --soft: #9aa5b1; --cell: #262d36; --shut: #ff8a80;
            --wash: #5a2320; --today: #8ab4f8; } }
  .paper { fill: var(--paper); } .cell { fill: var(--cell); } .wash { fill: var(--wash); }
  .hatch { stroke: var(--shut); stroke-width: 1.6; } .shut { fill: url(#hatch); }
  .edge { fill: none; stroke: var(--shut); stroke-width: 1; }
  .today { fill: none; stroke: var(--today); stroke-width: 2.5; }
  text { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; font-size: 13px;
         fill: var(--ink); }
  .title { font-size: 18px; font-weight: 600; } .month { font-size: 14px; font-weight: 600; }
  .soft { fill: var(--soft); font-size: 12px; }
  .number { text-anchor: middle; font-weight: 600; paint-order: stroke; stroke: var(--paper);
            stroke-width: 3.5px; stroke-linejoin: round; }
"""


def calendar_svg(view: Mapping[str, Any], title: str) -> str:
    """The calendar of ``view`` under ``title``, three months beside each other."""
    months = list(months_of(view["days"]))
    columns = min(3, max(1, len(months)))
    rows = (len(months) + columns - 1) // columns
    windows = window_lines(view["windows"])
    listed = windows[:_SHOWN]
    more = len(windows) - len(listed)
    width = max(_LEFT * 2 + columns * _MONTH_W, 620)
    list_top = _TOP + rows * _MONTH_H + 40
    height = list_top + (len(listed) + (1 if more else 0) + 1) * _LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(_description(view))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" class="wash"/>'
        '<line x1="0" y1="0" x2="0" y2="6" class="hatch"/></pattern></defs>',
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="{_LEFT}" y="34">{escape(title)}</text>',
        f'<text class="soft" x="{_LEFT}" y="54">{escape(str(view["zone"]))}: a day runs from left '
        "to right, hatched is closed</text>",
    ]
    for index, (name, days) in enumerate(months):
        left = _LEFT + (index % columns) * _MONTH_W
        top = _TOP + (index // columns) * _MONTH_H
        parts += _month(name, days, str(view["today"]), left, top)
    parts += _legend(_LEFT, list_top - 26)
    for index, window in enumerate(listed):
        text = escape(_short(window, (width - 2 * _LEFT) // 7))
        parts.append(f'<text x="{_LEFT}" y="{list_top + 12 + index * _LINE}">{text}</text>')
    if more:
        y = list_top + 12 + len(listed) * _LINE
        parts.append(f'<text class="soft" x="{_LEFT}" y="{y}">and {more} more</text>')
    return "\n".join([*parts, "</svg>", ""])


def _month(name: str, days: list[Mapping[str, Any]], today: str, left: int, top: int) -> list[str]:
    parts = [f'<text class="month" x="{left}" y="{top + 20}">{name}</text>']
    for column, weekday in enumerate(WEEKDAYS):
        x = left + column * (_CELL_W + _GAP) + _CELL_W / 2
        parts.append(
            f'<text class="soft" x="{x:g}" y="{top + 39}" text-anchor="middle">{weekday}</text>'
        )
    row = 0
    for index, day in enumerate(days):
        column = date.fromisoformat(str(day["date"])).weekday()
        if column == 0 and index:
            row += 1
        x = left + column * (_CELL_W + _GAP)
        y = top + _HEAD + row * (_CELL_H + _GAP)
        parts += _cell(day, x, y, is_today=day["date"] == today)
    return parts


def _cell(day: Mapping[str, Any], x: int, y: int, *, is_today: bool) -> list[str]:
    share = share_closed(day)
    state = "open" if share == 0 else "closed" if share >= 0.9999 else f"{share:.0%} closed"
    names = f": {', '.join(day['names'])}" if day["names"] else ""
    box = f'x="{x}" y="{y}" width="{_CELL_W}" height="{_CELL_H}" rx="4"'
    parts = [
        f"<g><title>{day['date']} {escape(state + names)}</title>",
        f'<rect class="cell" {box}/>',
    ]
    for start, end in day["closed"]:
        left, wide = x + start * _CELL_W, max(1.5, (end - start) * _CELL_W)
        parts.append(
            f'<rect class="shut" x="{left:.2f}" y="{y}" width="{wide:.2f}" height="{_CELL_H}" '
            'rx="2"/>'
        )
    if share:
        parts.append(f'<rect class="edge" {box}/>')
    if is_today:
        parts.append(f'<rect class="today" {box}/>')
    number = int(str(day["date"])[8:])
    parts.append(f'<text class="number" x="{x + _CELL_W / 2:g}" y="{y + 18}">{number}</text></g>')
    return parts


def _legend(left: int, top: int) -> list[str]:
    entries = (("cell", "open"), ("shut", "closed"), ("today", "today"))
    parts: list[str] = []
    for index, (style, text) in enumerate(entries):
        x = left + index * 100
        parts.append(
            f'<rect class="{style}" x="{x}" y="{top}" width="22" height="14" rx="3"/>'
            f'<text class="soft" x="{x + 30}" y="{top + 12}">{text}</text>'
        )
    return parts


def _description(view: Mapping[str, Any]) -> str:
    closed = [day for day in view["days"] if day["closed"]]
    return (
        f"{len(view['days'])} days from {view['from']} to {view['to']} in {view['zone']}; "
        f"{len(closed)} of them are closed, in whole or in part."
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
