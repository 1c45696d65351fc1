"""A verification as a table for a person, and its sentence. Plain when not on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from truegreen.errors import printable
from truegreen.outputs.override_line import override_line

MARKS = {"pass": "✔", "fail": "✘", "unknown": "?"}
STYLES = {"pass": "green", "fail": "bold red", "unknown": "yellow"}
VERDICTS = {"green": "bold green", "red": "bold red", "unverified": "bold yellow"}


def evidence_table(document: Mapping[str, Any]) -> RenderableType:
    """The checks of a ship/verify document: status, name, observed, expected, source."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("check", no_wrap=True)
    table.add_column("observed", overflow="fold", ratio=4)
    explain = any(check["status"] != "pass" for check in document["checks"])
    if explain:
        table.add_column("expected", overflow="fold", ratio=3, style="dim")
    table.add_column("source", overflow="fold", ratio=2, style="dim")
    for check in document["checks"]:
        status = str(check["status"])
        observed = Text(
            printable(str(check["observed"])), style="" if status == "pass" else STYLES[status]
        )
        name = str(check["name"]) + ("" if check["required"] else " (optional)")
        cells: list[RenderableType] = [Text(MARKS[status], style=STYLES[status]), name, observed]
        if explain:
            cells.append("" if status == "pass" else printable(str(check["expected"])))
        table.add_row(*cells, _source(str(check["source"])))
    return table


def verdict_lines(document: Mapping[str, Any]) -> RenderableType:
    """The verdict with its sentence, the findings with what to do, and where the time went."""
    verdict = str(document["verdict"])
    head = Text(verdict.upper(), style=VERDICTS[verdict])
    head.append("  " + printable(str(document["sentence"])), style="default")
    parts: list[RenderableType] = [head]
    for finding in document["diagnosis"]:
        line = Text("• " + printable(str(finding["sentence"])))
        if finding["next_step"]:
            line.append(printable(f" → {finding['next_step']}"), style="dim")
        parts.append(Padding(line, (0, 0, 0, 2)))
        for quote in finding["quotes"]:
            cited = Text(printable(f"{quote['source']}:{quote['line']}  "), style="dim")
            cited.append(printable(quote["text"]), style="italic")
            parts.append(Padding(cited, (0, 0, 0, 4)))
    advice = document["recommendation"]
    if advice is not None:
        line = Text(f"  {advice['action']}: ", style="bold").append(advice["why"], style="not bold")
        if advice["command"]:
            line.append(f" → {advice['command']}", style="not bold dim")
        if advice["rehearsal"]:
            line.append(f" ({advice['rehearsal']})", style="not bold dim")
        parts.append(line)
    for override in document["overrides"]:
        parts.append(Text(printable(f"  {override_line(override)}"), style="bold yellow"))
    for note in document["notes"]:
        parts.append(Text(printable(f"  {note}"), style="dim"))
    timings = document["timings"]
    if timings:
        told = " · ".join(f"{name} {seconds:.2f} s" for name, seconds in timings.items())
        parts.append(Text("  " + told, style="dim"))
    return Group(*parts)


def print_verification(document: Mapping[str, Any], console: Console) -> None:
    """Prints the table and the verdict to ``console``."""
    console.print(evidence_table(document))
    console.print()
    console.print(verdict_lines(document))


def stdout_console() -> Console:
    """A console on standard output; as wide as the terminal, or 120 columns without one."""
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, emoji=False, markup=False, width=140)
    return console


def _source(source: str) -> str:
    """Long ids shortened: a person looks for what kind of thing it was."""
    words = [
        word[:8] if len(word) == 36 and word.count("-") == 4 else word for word in source.split()
    ]
    return printable(" ".join(words))
