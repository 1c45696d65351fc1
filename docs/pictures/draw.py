"""Draws the README's pictures from real runs: ships Raptor, runs the drill, prints both as SVG.

python3 bootstrap.py python docs/pictures/draw.py
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from truegreen.incidents.drills.service import find_service
from truegreen.outputs.drill_table import print_drill
from truegreen.outputs.table import print_verification
from truegreen.ship.stage import commit, copy_service

HERE = Path(__file__).parent
DRILL = "release-smoke-cf-origin-guard"


def truegreen(*arguments: str) -> Any:
    command = [sys.executable, "-m", "truegreen", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.stdout else None


def draw(name: str, title: str, width: int, show: Callable[[Console], None]) -> None:
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False, markup=False)
    show(console)
    text = console.export_svg(title=title)
    text = re.sub(r"\s*@font-face \{.*?\}\n", "\n", text, flags=re.DOTALL)  # fetch no fonts
    lines = (line.rstrip() for line in text.splitlines())
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="truegreen-pictures-") as folder:
        os.environ["TRUEGREEN_PLATFORM_DATA"] = str(Path(folder) / "platform")
        repository = Path(folder) / "raptor"
        copy_service(find_service(None), repository)
        commit(repository, "the wave")
        try:
            shipped = truegreen("ship", str(repository), "--json")
        finally:
            truegreen("platform", "stop")
    draw(
        "ship.svg", "truegreen ship examples/raptor", 132, lambda c: print_verification(shipped, c)
    )
    (drill,) = truegreen("drill", "run", DRILL, "--json")["drills"]
    draw("drill.svg", f"truegreen drill run {DRILL}", 132, lambda c: print_drill(drill, c))


if __name__ == "__main__":
    main()
