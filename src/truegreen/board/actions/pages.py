"""The documents of the pages of actions. Pure but for the output of a run, which is a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from truegreen.board.actions.offered import Action
from truegreen.board.actions.runs import Run
from truegreen.board.pages.run import app_address
from truegreen.board.words import age
from truegreen.model import stamp

_LINES = 200  # of output that a page shows
_MEANS = {  # the exit codes of the command line
    0: ("green", "as it should be"),
    1: ("red", "something is wrong, and it says what"),
    2: ("unverified", "it could not be asked like that, and nothing was done"),
    3: ("unverified", "it could not find out"),
    4: ("unverified", "refused, and nothing was changed"),
    5: ("interrupted", "interrupted after something was changed"),
}


def action_document(action: Action, problem: str, now: datetime) -> dict[str, Any]:
    """The page that asks. ``problem``: why the answer before was none, or ""."""
    sentence = f"{action.title}{f': {action.app}' if action.app else ''}?"
    return {
        "page": "action",
        "at": stamp(now),
        "sentence": f"Nothing was started: {problem}." if problem else sentence,
        "verdict": "unverified" if problem else "none",
        "name": action.name,
        "title": action.title,
        "app": action.app,
        "app_address": app_address(action.app) if action.app else None,
        "address": action.address,
        "told": action.told,
        "command": action.command,
    }


def list_document(offered: Sequence[Action], runs: Sequence[Run], now: datetime) -> dict[str, Any]:
    """``offered``: those of the whole service; ``runs``: newest first."""
    going = sum(1 for run in runs if run.exit is None)
    if not runs:
        sentence = "Nothing was started from this board since it runs."
    elif going:
        sentence = "1 action runs now." if going == 1 else f"{going} actions run now."
    else:
        sentence = "No action runs now."
    return {
        "page": "actions",
        "at": stamp(now),
        "sentence": sentence,
        "verdict": "live" if going else "none",
        "offered": [
            {"name": one.name, "title": one.title, "told": one.told, "address": one.address,
             "command": one.command}
            for one in offered
        ],
        "runs": [_short(run, now) for run in runs],
    }  # fmt: skip


def run_document(run: Run, now: datetime) -> dict[str, Any]:
    """What became of an action so far."""
    lines = run.output().splitlines()
    return {
        "page": "action-run",
        "at": stamp(now),
        "sentence": _sentence(run),
        **_short(run, now),
        "app_address": app_address(run.action.app) if run.action.app else None,
        "output": [
            "".join(char if char.isprintable() else "\ufffd" for char in line.expandtabs())
            for line in lines[-_LINES:]
        ],
        "skipped": max(len(lines) - _LINES, 0),
    }


def _sentence(run: Run) -> str:
    what = f"{run.action.title}{f' ({run.action.app})' if run.action.app else ''}"
    if run.exit is None:
        return f"{what}: runs."
    means = _MEANS.get(run.exit, ("", "it was ended from outside" if run.exit < 0 else "unknown"))
    return f"{what}: ended with {run.exit}, {means[1]}."


def _short(run: Run, now: datetime) -> dict[str, Any]:
    verdict = "live" if run.exit is None else _MEANS.get(run.exit, ("unverified", ""))[0]
    return {
        "id": run.id,
        "address": f"/actions/runs/{run.id}",
        "name": run.action.name,
        "app": run.action.app,
        "command": run.action.command,
        "by": run.by,
        "began": stamp(run.began),
        "age": age(run.began, now),
        "exit": run.exit,
        "verdict": verdict,
    }
