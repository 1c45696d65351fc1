"""Drills for a person: what that day's workflow said, beside what TrueGreen says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from truegreen.outputs.table import MARKS, STYLES, VERDICTS

_REFUSED = {"refused": "bold red"}


def list_lines(drills: Iterable[Mapping[str, Any]]) -> list[str]:
    """``drill list --json`` in lines for a person."""
    lines: list[str] = []
    for drill in drills:
        own = "" if drill["source"] == "shipped" else f"  ({drill['source']})"
        lines += [
            f"{drill['name']}{own}",
            f"    {drill['title']}",
            f"    reported by {drill['checks'][0]}, within {drill['within']:.0f} s",
        ]
    return lines


def gap_now(gap: Mapping[str, Any]) -> str:
    """``0.4 s``, ``< 0.1 s`` (the witness looks ten times a second), or ``not detected``."""
    if gap["now"] is None:
        return "not detected"
    return "< 0.1 s" if gap["now"] < 0.1 else f"{gap['now']:.1f} s"


def gap_then(gap: Mapping[str, Any]) -> str:
    """How long it took then: what was written down, else what that day's workflow makes of it."""
    if gap["then"] is not None:
        return f"{gap['then']:.0f} s"
    if gap["then_told"]:
        return str(gap["then_told"])
    return {"success": "never: success", "failure": "at once"}.get(gap["workflow"], "not known")


def gap_then_in_full(gap: Mapping[str, Any]) -> str:
    """As ``gap_then``, and who noticed, where that was written down."""
    noticed = gap["then_told"] if gap["then"] is not None else ""
    return gap_then(gap) + (f", {noticed}" if noticed else "")


def print_drills(told: Mapping[str, Any], console: Console) -> None:
    """Prints the document of ``drill run``: one drill in full; of several a table, and those in
    full that did not pass."""
    drills = told["drills"]
    for drill in drills:
        if len(drills) == 1 or not drill["passed"]:
            print_drill(drill, console)
    if len(drills) > 1:
        console.print(_summary(drills))
        good = sum(1 for drill in drills if drill["passed"])
        style = "green" if good == len(drills) else "bold red"
        console.print(Text(f"{good} of {len(drills)} drills passed", style=style))


def _summary(drills: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("drill", no_wrap=True)
    table.add_column("reported by", no_wrap=True)
    table.add_column("gap now", justify="right", no_wrap=True)
    table.add_column("gap then", no_wrap=True)
    for drill in drills:
        status = "unknown" if drill["unmade"] else "pass" if drill["passed"] else "fail"
        mark = Text(MARKS[status], style=STYLES[status])
        gap = drill["gap"]
        table.add_row(mark, drill["name"], drill["check"], gap_now(gap), gap_then(gap))
    return table


def print_drill(result: Mapping[str, Any], console: Console) -> None:
    """Prints one drill's JSON result to ``console``."""
    for run in result["runs"]:
        _print_run(run, console)
    for problem in result["problems"]:
        console.print(Text(f"✘ {problem}", style="bold red"))
    gap = result["gap"]
    if gap["now"] is not None:
        then = gap_then_in_full(gap)
        told = f"{result['check']} reported it {gap_now(gap)} after it was true (then: {then})"
        console.print(Text(told))
    seconds, within = result["seconds"], result["within"]
    took = f"{seconds:.1f} s of at most {within:.0f} s"
    if result["passed"]:
        console.print(Text(f"PASSED  {result['name']}: detected as it should be, {took}", "green"))
    else:
        console.print(Text(f"FAILED  {result['name']}, {took}", style="bold red"))


def _print_run(run: Mapping[str, Any], console: Console) -> None:
    document, that_day = run["truegreen"], run["that_day"]
    kind = "control, no fault" if run["control"] else f"fault, failed releases: {run['world']}"
    table = Table(title=f"{run['label']} ({kind})", title_justify="left", expand=True)
    table.add_column("the workflow of that day", ratio=1)
    table.add_column("TrueGreen", ratio=3)
    left = Text()
    left.append(f"push      {that_day['push']}\n/health   {that_day['health']}\n")
    left.append(f"⇒ {that_day['conclusion']}", style="bold")
    table.add_row(left, _right(document))
    console.print(table)
    for problem in run["problems"]:
        console.print(Text(f"  ✘ {problem}", style="bold red"))


def _right(document: Mapping[str, Any]) -> Text:
    verdict = document["verdict"]
    right = Text()
    right.append(f"⇒ {verdict.upper()} ", style={**VERDICTS, **_REFUSED}[verdict])
    right.append(document["sentence"] + "\n")
    for check in document["checks"]:
        if check["status"] != "pass":
            right.append(f"{MARKS[check['status']]} {check['name']}", STYLES[check["status"]])
            right.append(f"  {check['observed']}\n")
    for finding in document["diagnosis"]:
        right.append(f"• {finding['sentence']}\n", style="dim")
    right.rstrip()
    return right
