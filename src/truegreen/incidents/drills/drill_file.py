"""Reads a drill's TOML file into a Plan, strictly. What it does when it is run is not known here.

``docs/incidents/drills/NAME.toml`` of a service, or a file of this package.
"""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from truegreen.config.table import Table
from truegreen.embedded.faults import KINDS, Fault, parse
from truegreen.errors import ConfigError, UsageError
from truegreen.incidents.drills.plan import (
    ASKS,
    MOMENTS,
    REFUSALS,
    REPORTERS,
    SERVICES,
    STATUSES,
    STEPS,
    Plan,
    Step,
    Then,
)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
WORDS = ("app", "old", "new", "old_version", "new_version", "old_commit", "new_commit")
_MOST = 256 * 1024  # bytes of a file


def read_plan(path: Path, *, root: Path | None = None) -> Plan:
    """The drill in ``path``; ``root`` is the service's whose file it is. Raises ConfigError."""
    file = str(path)
    if not NAME.fullmatch(path.stem):
        raise ConfigError(
            file, "", "is not named as a drill is", fix="2 to 60 of a-z, 0-9 and -, then .toml"
        )
    try:
        if path.stat().st_size > _MOST:
            raise ConfigError(file, "", f"has more than {_MOST // 1024} KiB: it is no drill")
        text = path.read_bytes().decode("utf-8")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, "", f"is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(file, "", "is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(file, "", f"cannot be read: {error.strerror}") from error
    if not data:
        raise ConfigError(file, "", "is empty", fix=f"truegreen drill new {path.stem} writes one")
    return parse_plan(data, name=path.stem, file=file, root=root)


def parse_plan(data: Any, *, name: str, file: str, root: Path | None = None) -> Plan:
    """A Plan out of parsed TOML. Raises ConfigError, with the nearest key for an unknown one."""
    top = Table(file, "", data)
    check = top.required_text("check")
    if check not in REPORTERS:
        near = get_close_matches(check, REPORTERS, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "one of " + ", ".join(REPORTERS)
        raise top.error("check", f"{check!r} is no check", fix=fix)
    status = top.text("status", "refused" if check in REFUSALS else "fail", one_of=STATUSES)
    if (status == "refused") != (check in REFUSALS):
        raise top.error(
            "status", f"{status!r} is nothing that {check} says", fix="refused goes with " +
            ", ".join(REFUSALS) + "; fail and unknown with every other"
        )  # fmt: skip
    plan = Plan(
        name=name,
        title=top.required_text("title"),
        check=check,
        status=status,
        ask=top.text("ask", "ship", one_of=ASKS),
        sentence=_template(top, "sentence"),
        source=file,
        root=root,
        proves=top.text("proves"),
        incident=top.text("incident"),
        service=_service(top, root),
        also=_also(top),
        within=top.seconds("within", 15.0),
        since=top.text("since", "fault", one_of=MOMENTS),
        workflow=top.text("workflow", one_of=("", "success", "failure")),
        finding=top.text("finding"),
        because=_template(top, "because"),
        then=_then(top.table("then")),
        before=_steps(top, "before") if "before" in top else (Step("ship"),),
        control=_steps(top, "control"),
        fault=_steps(top, "fault"),
    )
    top.done()
    if not plan.fault:
        raise top.error("fault", "is missing: a drill puts something in", fix="add a [[fault]]")
    return plan


def _template(top: Table, name: str) -> str:
    text = top.text(name)
    try:
        words = [word for _, word, _, _ in string.Formatter().parse(text) if word is not None]
    except ValueError as error:
        raise top.error(
            name, f"is no template: {error}", fix="{{ and }} stand for braces"
        ) from None
    for word in words:
        if word not in WORDS:
            raise top.error(name, f"knows no {{{word}}}", fix="there are " + ", ".join(WORDS))
    return text


def _service(top: Table, root: Path | None) -> str:
    name = top.text("service", "tiny")
    if name in SERVICES:
        return name
    if root is None or not (root / name).resolve().is_relative_to(root.resolve()):
        raise top.error(
            "service", f"{name!r} is no service", fix="tiny, alembic, or a folder of the service"
        )
    if not (root / name / "Procfile").is_file():
        raise top.error("service", f"{name!r} has no Procfile", fix="name the service's root: .")
    return name


def _also(top: Table) -> tuple[str, ...]:
    names = top.texts("also")
    for name in names:
        if name not in REPORTERS:
            near = get_close_matches(name, REPORTERS, n=1, cutoff=0.5)
            raise top.error(
                "also", f"{name!r} is no check", fix=f"did you mean {near[0]}?" if near else ""
            )
    return names


def _then(table: Table) -> Then:
    known = "seconds" in table
    then = Then(table.seconds("seconds", 1.0) if known else None, table.text("told"))
    table.done()
    return then


def _steps(top: Table, name: str) -> tuple[Step, ...]:
    return tuple(_step(table) for table in top.tables(name))


def _step(table: Table) -> Step:
    do = table.required_text("do")
    if do not in STEPS:
        near = get_close_matches(do, STEPS, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "one of " + ", ".join(STEPS)
        raise table.error("do", f"{do!r} is no step", fix=fix)
    if do == "inject":
        return Step(do, fault=_fault(table))
    step = Step(
        do,
        file=_file(table) if do in ("write", "edit", "append", "remove") else "",
        text=table.required_text("text") if do in ("write", "append") else "",
        replace=table.required_text("replace") if do == "edit" else "",
        by=table.text("by") if do == "edit" else "",
        config=_config(table) if do == "set" else {},
    )
    table.done()
    return step


def _file(table: Table) -> str:
    name = table.required_text("file")
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or ".git" in path.parts:
        raise table.error(
            "file", f"{name!r} is no file of the service", fix="a path below its root"
        )
    return name


def _config(table: Table) -> dict[str, str]:
    values = table.table("config")
    found = {name: values.text(name) for name in values.rest()}
    if not found:
        raise table.error("config", "sets nothing", fix='config = {NAME = "value"}')
    return found


def _fault(table: Table) -> Fault:
    kind = table.required_text("kind")
    known = KINDS.get(kind)
    if known is None:
        near = get_close_matches(kind, KINDS, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "truegreen platform fault kinds"
        raise table.error("kind", f"the platform has no fault {kind!r}", fix=fix)
    values: dict[str, str] = {}
    for one in fields(known):
        if one.name == "app":
            continue  # the run's own app
        if one.name in table:
            values[one.name] = str(table.raw(one.name))
    table.done()
    try:
        return parse(kind, values)
    except UsageError as error:
        raise table.error("kind", error.message, fix=error.hint) from None
