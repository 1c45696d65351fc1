"""A drill's result for a person: what that day's workflow said, beside what TrueGreen says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from truegreen.outputs.table import MARKS, STYLES, VERDICTS


def print_drill(result: Mapping[str, Any], console: Console) -> None:
    """Prints one drill's JSON result to ``console``."""
    for run in result["runs"]:
        _print_run(run, console)
    for problem in result["problems"]:
        console.print(Text(f"✘ {problem}", style="bold red"))
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
    right.append(f"⇒ {verdict.upper()} ", style=VERDICTS[verdict])
    right.append(document["sentence"] + "\n")
    for check in document["checks"]:
        if check["status"] != "pass":
            right.append(f"{MARKS[check['status']]} {check['name']}", STYLES[check["status"]])
            right.append(f"  {check['observed']}\n")
    for finding in document["diagnosis"]:
        right.append(f"• {finding['sentence']}\n", style="dim")
    right.rstrip()
    return right
