"""What the situation as a whole says: one small function a finding. Pure.

Each yields at most a few findings, and only from evidence that it cites.
"""

from __future__ import annotations

from collections.abc import Iterator

from truegreen.model.diagnosis.finding import Finding, Quote
from truegreen.model.diagnosis.quoting import trouble
from truegreen.model.evidence import Status, digest_of
from truegreen.model.sentence import short
from truegreen.model.shell import swallowed_part
from truegreen.model.situation import Situation

GUARD_REFUSAL = "direct_origin_blocked"  # what truegreen.guard answers


def _failed(situation: Situation, check: str) -> bool:
    item = situation.of(check)
    return item is not None and item.status is Status.FAIL


def _platform(situation: Situation) -> Iterator[Finding]:
    unknown = situation.judgement.unknown
    if situation.serves_nothing or situation.serving or situation.release:
        return  # it did answer
    if "release.command" in unknown:
        item = situation.of("release.command")
        why = item.observed if item else "it was never asked"
        yield Finding(
            "platform-unknown",
            f"The platform gave no answer about {situation.app}: {why}.",
            ("release.command",),
            "start or reach the platform, then ask again: truegreen verify",
            kind="state",
        )


def _build(situation: Situation) -> Iterator[Finding]:
    if _failed(situation, "build.succeeded"):
        line = trouble(situation, "build")
        yield Finding(
            "build-failed",
            f"The build of {short(situation.commit)} failed; nothing was released.",
            ("build.succeeded",),
            "mend what its output names, commit, and ship that",
            kind="state",
            quotes=(line,) if line else (),
        )


def _not_shipped(situation: Situation) -> Iterator[Finding]:
    build = situation.of("build.succeeded")
    looked = situation.serving is not None or situation.serves_nothing
    if situation.release is not None or not looked or situation.commit is None:
        return
    if build is not None and build.status is Status.UNKNOWN and not build.detail:
        yield Finding(
            "not-shipped",
            f"{situation.app} has neither a build nor a release of {short(situation.commit)}.",
            ("build.succeeded", "release.command"),
            "truegreen releases says what was shipped: is it the right app and commit?",
        )


def _overtaken(situation: Situation) -> Iterator[Finding]:
    release, serving = situation.release, situation.serving
    if release is None or serving is None or release.status != "succeeded":
        return
    if serving.version > release.version and serving.commit != release.commit:
        yield Finding(
            "overtaken-by-release",
            f"{serving.name} ({short(serving.commit)}) was released after {release.name}, and"
            " serves other code.",
            ("release.current",),
            "truegreen releases says who made it; to have this commit serve, ship it again",
        )


def _smoke_environment(situation: Situation) -> Iterator[Finding]:
    smoke = situation.smoke
    if situation.failed_phase != "smoke" or smoke is None or not smoke.failed:
        return
    inherited = [leak for leak in smoke.leaks if leak.get("present")]
    if not inherited:
        return
    places = ", ".join(
        f"{leak.get('variable')} read at {leak.get('file')}:{leak.get('line')}"
        for leak in inherited[:3]
    )
    yield Finding(
        "smoke-inherited-environment",
        f"The smoke suite ran with the platform's environment, which it does not pin: {places}.",
        ("release.report",),
        "pin them in [smoke.env] of truegreen.toml and keep the seal on ([smoke] seal = true)",
    )


def _guard_answered(situation: Situation) -> Iterator[Finding]:
    smoke = situation.smoke
    if smoke is None:
        return
    for cluster in smoke.clusters:
        if GUARD_REFUSAL in cluster.signature.split():
            count = len(cluster.tests)
            yield Finding(
                "guard-answered-smoke",
                f"The origin guard answered {count} of {smoke.total} smoke tests in place of the "
                f"routes that they ask: {cluster.signature}.",
                ("release.report",),
                "pin the guard's flag off in [smoke.env]; an in-process client is not the edge",
                quotes=(
                    Quote("report trailer", 1, cluster.signature, digest_of(cluster.tests[0])),
                ),
            )


def _preflight(situation: Situation) -> Iterator[Finding]:
    if situation.failed_phase == "preflight" and situation.phase_reason:
        yield Finding(
            "preflight-refused",
            f"The release command refused to begin: {situation.phase_reason}.",
            ("release.report",),
            "set what it names on the app; nothing was migrated",
        )


def _exit_code_swallowed(situation: Situation) -> Iterator[Finding]:
    """The platform was told success by a command whose own words say otherwise."""
    release = situation.release
    command = situation.commands.get("release", "")
    part = swallowed_part(command)
    if release is None or release.status != "succeeded" or not part:
        return
    line = trouble(situation, "release")
    if situation.failed_phase is None and line is None:
        return
    said = f"its phase {situation.failed_phase} failed" if situation.failed_phase else "it failed"
    yield Finding(
        "exit-code-swallowed",
        f"{release.name} counts as succeeded although {said}: {part!r} in its release command "
        "hides the exit code.",
        ("release.command", "release.report"),
        "join the steps with && in the Procfile's release line",
        quotes=(
            Quote("Procfile, release", 1, command[:300], digest_of(command.encode())),
            *((line,) if line else ()),
        ),
    )


def _timed_out(situation: Situation) -> Iterator[Finding]:
    release = situation.release
    if release is None or release.status not in ("expired", "pending"):
        return
    if release.status == "expired":
        yield Finding(
            "release-expired",
            f"The release command of {release.name} did not end in the time that it may take.",
            ("release.command",),
            "read how far it came, make it shorter or resumable, then: truegreen retry",
        )
    else:
        yield Finding(
            "release-pending",
            f"{release.name} is still pending: its release command has not ended.",
            ("release.command",),
            "verify again; pending for over an hour, it was lost by the platform: truegreen retry",
            kind="state",
        )


def _slug_of_other_commit(situation: Situation) -> Iterator[Finding]:
    item = situation.of("code.slug")
    if item is not None and item.status is Status.FAIL:
        yield Finding(
            "slug-of-other-commit",
            f"The release carries a slug of other code: {item.observed}, not {item.expected}.",
            ("code.slug",),
            "ship the commit; a release made by hand took an older slug",
        )


def _edge_challenge(situation: Situation) -> Iterator[Finding]:
    item = situation.of("health.edge")
    if item is None or item.status is not Status.UNKNOWN:
        return
    page = item.detail.get("interstitial")
    if page:
        yield Finding(
            "edge-challenge" if page == "challenge page" else "edge-login",
            f"The edge answered the health path with a {page}, so the app was not asked.",
            ("health.edge",),
            "let the health path through at the edge (WAF skip rule, Access bypass)",
        )


def _edge_redirect(situation: Situation) -> Iterator[Finding]:
    item = situation.of("health.edge")
    if item is not None and item.status is Status.FAIL:
        status = item.detail.get("status")
        if isinstance(status, int) and 300 <= status < 400:
            yield Finding(
                "health-redirected",
                f"The health path leads elsewhere, and is not followed: {item.observed}.",
                ("health.edge",),
                "name where the app itself answers: [health] path, or edge of the environment",
            )


def _release_command(situation: Situation) -> Iterator[Finding]:
    if _failed(situation, "release.command") and situation.release is not None:
        phase = situation.failed_phase
        where = f" in its phase {phase}" if phase else ", without a report that says where"
        yield Finding(
            "release-command-failed",
            f"The release command of {situation.release.name} failed{where}.",
            ("release.command", "release.report") if phase else ("release.command",),
            "fix the cause and ship again; the platform does not undo what migrate did",
            kind="state",
        )


def _failed_release_serves(situation: Situation) -> Iterator[Finding]:
    release, serving = situation.release, situation.serving
    if release is None or release.status != "failed":
        return
    if serving is not None and serving.version == release.version:
        yield Finding(
            "failed-release-serves",
            f"{release.name} is current although its release command failed.",
            ("release.command", "release.current"),
            "before going back, see whether the schema allows it: truegreen rollback --plan",
            kind="state",
        )


def _schema_ahead(situation: Situation) -> Iterator[Finding]:
    schema = situation.schema
    if schema is not None and schema.relation == "ahead":
        serving = situation.serving
        code = f"{serving.name} ({short(serving.commit)})" if serving else "the serving code"
        heads = ", ".join(schema.heads) or "no head"
        yield Finding(
            "schema-ahead-of-code",
            f"The database is at {schema.current}; {code} knows only {heads}.",
            ("schema.head", "release.report"),
            "check that the serving code bears the newer schema; then fix forward",
            kind="risk",
        )


def _schema_behind(situation: Situation) -> Iterator[Finding]:
    schema = situation.schema
    if schema is not None and schema.relation == "behind":
        heads = ", ".join(schema.heads) or "no head"
        yield Finding(
            "schema-behind-code",
            f"The database is at {schema.current}; the code that serves needs {heads}.",
            ("schema.head",),
            "run the release command again (it migrates), then verify",
        )


def _flags(situation: Situation) -> Iterator[Finding]:
    item = situation.of("flags.config")
    if item is not None and item.status is Status.FAIL:
        yield Finding(
            "flags-unreadable",
            f"The app's config vars do not fit the declared flags: {item.observed}.",
            ("flags.config",),
            "set the variable to a value of its type; a new release follows by itself",
        )


def _dynos(situation: Situation) -> Iterator[Finding]:
    item = situation.of("code.dynos")
    if item is not None and item.status is Status.FAIL and item.detail.get("not_up"):
        yield Finding(
            "dynos-not-up",
            f"Dynos are not up: {item.observed}.",
            ("code.dynos",),
            "read the app's log",
            kind="state",
        )


def _origin_open(situation: Situation) -> Iterator[Finding]:
    item = situation.of("health.origin_blocked")
    if item is not None and item.status is Status.FAIL and item.detail.get("open"):
        yield Finding(
            "origin-open",
            f"The origin answers requests that did not come through the edge: {item.observed}.",
            ("health.origin_blocked",),
            "turn the origin guard on: its flag, and its secret on both sides",
        )


def _stale_code(situation: Situation) -> Iterator[Finding]:
    item = situation.of("code.served")
    release = situation.release
    if item is None or item.status is not Status.FAIL or release is None:
        return
    if release.status == "succeeded" and release.current:
        yield Finding(
            "stale-code-served",
            f"{release.name} is current, and the app still answers as other code: {item.observed}.",
            ("code.served", "release.current"),
            "wait for old dynos to leave (preboot: 3 minutes), then verify again",
            kind="state",
        )


RULES = (
    _platform,
    _build,
    _not_shipped,
    _overtaken,
    _smoke_environment,
    _guard_answered,
    _preflight,
    _exit_code_swallowed,
    _timed_out,
    _slug_of_other_commit,
    _edge_challenge,
    _edge_redirect,
    _release_command,
    _failed_release_serves,
    _schema_ahead,
    _schema_behind,
    _flags,
    _dynos,
    _origin_open,
    _stale_code,
)
