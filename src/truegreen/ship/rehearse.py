"""A release before it is made: the release command of HEAD, on a private platform, with the config
vars that the target app really has, from the schema that its database really is at.

Asks the target, and changes nothing there. Everything else happens on a stage, which is taken down
whatever happens.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truegreen.config import Config, load_config
from truegreen.errors import Unverified, UsageError
from truegreen.heroku import HerokuClient
from truegreen.model import Situation, Verdict, short
from truegreen.ship.borrowed import Borrowed, borrow
from truegreen.ship.progress import Watcher
from truegreen.ship.source import Source, full_commit, write_archive
from truegreen.ship.stage import Stage, commit, git, open_stage
from truegreen.ship.steps import find_or_create_build, find_or_create_release, follow_release
from truegreen.ship.target import Target
from truegreen.ship.verification import ask, question_for
from truegreen.untar import UnsafeMember, Untar

# What a web dyno with dummies for secrets may fail in without the release being at fault.
_AFTER_THE_RELEASE = ("code.dynos", "code.served", "health.edge", "health.origin_blocked")


@dataclass(frozen=True, slots=True)
class Production:
    """What the target is like now. ``revision``: its database's, None when it cannot be known.
    ``serving``: the commit that serves. ``deployed``: anything serves at all."""

    config_vars: Mapping[str, str]
    revision: str | None
    serving: str | None
    deployed: bool

    def __repr__(self) -> str:
        return f"Production(revision={self.revision!r}, serving={self.serving!r})"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The document of the contract, and the verdict in it."""

    document: dict[str, Any]
    verdict: Verdict


def rehearse(config: Config, source: Source, target: Target, watcher: Watcher) -> Rehearsal:
    """Rehearses the release of ``source`` to ``target``.

    Raises Unverified when the target cannot be asked, or its schema cannot be made here.
    """
    production = look(config, target)
    borrowed = borrow(config, target.app, production.config_vars)
    with open_stage({"on-release-failure": "hold"}) as stage:
        at_head = _unpack(source, stage.folder / "head")
        candidate = load_config(at_head)._replace(root=at_head)
        environment = target.environment
        with stage.client() as client:
            client.create_app(environment.app)
            _furnish(client, environment.app, borrowed, stage.folder)
            migrates = candidate.release.migrate == "alembic"
            if migrates and production.revision:
                _bring_to(stage, client, environment.app, source, production, candidate)
        shipped = stage.ship_source(candidate, source, environment, watcher)
    known = not migrates or production.revision is not None or not production.deployed
    return judge_rehearsal(shipped, target.app, source.commit, borrowed, production, known=known)


def look(config: Config, target: Target) -> Production:
    """Asks the target; changes nothing."""
    with target.client() as client:
        config_vars = dict(client.config_vars(target.app))
        question = question_for(config, target.environment, commit=None)
        situation: Situation = ask(question, client).situation
    schema = situation.schema
    serving = situation.served_commit or (situation.serving.commit if situation.serving else None)
    return Production(
        config_vars,
        schema.current if schema else None,
        serving,
        deployed=situation.serving is not None,
    )


def _unpack(source: Source, folder: Path) -> Path:
    """The source's committed files in ``folder``."""
    folder.mkdir()
    with tempfile.TemporaryDirectory(prefix="truegreen-source-") as name:
        archive = Path(name) / "source.tar.gz"
        write_archive(source, archive)
        try:
            with tarfile.open(archive) as tar:
                untar = Untar(tar, folder)
                for member in tar:
                    if not member.isdev() and member.type != tarfile.XGLTYPE:
                        untar.extract(member)
        except (UnsafeMember, tarfile.TarError) as error:
            raise UsageError(f"{short(source.commit)} cannot be unpacked: {error}") from error
    return folder


def _furnish(client: HerokuClient, app: str, borrowed: Borrowed, folder: Path) -> None:
    """The borrowed config vars, with scratch databases where the target has databases."""
    values = dict(borrowed.values)
    for name, scheme in borrowed.databases.items():
        if scheme == "sqlite":
            values[name] = f"sqlite:///{folder / (name.lower() + '.sqlite3')}"
        else:
            del values[name]  # the add-on sets it
            client.create_addon(app, "heroku-postgresql")
    present = client.config_vars(app)
    change: dict[str, str | None] = {
        name: value for name, value in values.items() if present.get(name) != value
    }
    if change:
        client.set_config_vars(app, change)


def _bring_to(
    stage: Stage,
    client: HerokuClient,
    app: str,
    source: Source,
    production: Production,
    candidate: Config,
) -> None:
    """Migrates the scratch database to the target's revision, with the migrations of the commit
    that serves there, or else with the candidate's own. Raises Unverified when neither can."""
    revision = production.revision or ""
    output = ""
    for index, tree in enumerate(_trees(source, production)):
        folder = _unpack(tree, stage.folder / f"base{index}")
        ini = candidate.release.alembic_ini
        with suppress(UsageError):
            ini = load_config(folder).release.alembic_ini
        # nothing but a release command: no web dyno is to serve this
        (folder / "Procfile").write_text(
            f"release: python -m alembic -c {ini} upgrade {revision}\n", encoding="utf-8"
        )
        git(folder, "init", "--quiet")
        base = Source(folder, "", commit(folder, f"the schema at {revision}"), ())
        built = find_or_create_build(client, app, base, _ignore, _nothing)
        if built.status != "succeeded":
            output = f"the build of {short(tree.commit)} {built.status}"
            continue
        release, _ = find_or_create_release(client, app, built, base.commit, _nothing)
        release, output = follow_release(client, app, release, candidate.release.timeout, _ignore)
        if release.status == "succeeded":
            return
    raise Unverified(
        f"the scratch database could not be brought to {revision}, where {app}'s is",
        hint="\n".join(output.splitlines()[-5:]),
    )


def _trees(source: Source, production: Production) -> Sequence[Source]:
    """The serving commit, when this repository has it, and the candidate."""
    if production.serving and production.serving != source.commit:
        serving = full_commit(source.repository, production.serving)
        with suppress(UsageError):
            git(source.repository, "cat-file", "-e", f"{serving}:{source.prefix}")
            return (Source(source.repository, source.prefix, serving, ()), source)
    return (source,)


def judge_rehearsal(
    shipped: Mapping[str, Any],
    app: str,
    commit_id: str,
    borrowed: Borrowed,
    production: Production,
    *,
    known: bool,
) -> Rehearsal:
    """What the stage's ``shipped`` document says of the real release. Pure.

    ``known``: the schema to begin at was known. Where it was not, or only what comes after the
    release command failed while secrets were dummies, nothing better than unverified is said.
    """
    failed = [c["name"] for c in shipped["checks"] if c["required"] and c["status"] == "fail"]
    smoke = _phase(shipped, "smoke")
    migrate = _phase(shipped, "migrate")
    verdict = Verdict(shipped["verdict"])
    notes: list[str] = []
    if not known:
        notes.append(f"where {app}'s schema is could not be found out: begun with an empty one")
    if verdict is Verdict.GREEN and not known:
        verdict = Verdict.UNVERIFIED
    if failed and borrowed.replaced and all(name in _AFTER_THE_RELEASE for name in failed):
        verdict = Verdict.UNVERIFIED
        notes.append(
            f"the release command passed; {', '.join(failed)} failed, which the dummies may explain"
        )
    leaks = list(smoke.get("leaks", ()))
    inherited = [leak for leak in leaks if leak["present"]]
    document = {
        "verdict": str(verdict),
        "sentence": _sentence(shipped, app, commit_id, verdict, inherited),
        "app": app,
        "commit": commit_id,
        "schema": {
            "from": production.revision,
            "to": migrate.get("to"),
            "heads": migrate.get("heads", []),
        },
        "config": borrowed.as_json(),
        "predicted": {
            "failures": list(smoke.get("failures", ())),
            "leaks": leaks,
            "total": smoke.get("total"),
            "failed": smoke.get("failed"),
        },
        "checks": shipped["checks"],
        "diagnosis": shipped["diagnosis"],
        "notes": [*notes, *shipped["notes"]],
        "timings": shipped["timings"],
    }
    return Rehearsal(document, verdict)


def _sentence(
    shipped: Mapping[str, Any],
    app: str,
    commit_id: str,
    verdict: Verdict,
    inherited: Sequence[Mapping[str, Any]],
) -> str:
    told = f"the release of {short(commit_id)} to {app}"
    if verdict is Verdict.GREEN:
        return f"{told} would be green"
    if verdict is Verdict.UNVERIFIED:
        return f"{told} could not be rehearsed to the end"
    report = _check(shipped, "release.report")
    why = report.get("observed") if report.get("status") == "fail" else shipped["sentence"]
    places = ", ".join(f"{one['variable']} at {one['file']}:{one['line']}" for one in inherited[:5])
    return f"{told} would be red: {why}" + (f"; read from the machine: {places}" if places else "")


def _check(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((check for check in document["checks"] if check["name"] == name), {})


def _phase(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    detail = _check(document, "release.report").get("detail") or {}
    phases = (detail.get("report") or {}).get("phases", ())
    return next((phase for phase in phases if phase["name"] == name), {})


def _ignore(_line: str) -> None:
    return


def _nothing() -> None:
    return
