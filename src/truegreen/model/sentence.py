"""The failure sentence: one line that says what runs, what failed, and where the schema is."""

from __future__ import annotations

from truegreen.model.situation import ReleaseState, Situation
from truegreen.model.verdict import Verdict


def sentence(situation: Situation) -> str:
    """One line, ending in a full stop, that may be read aloud at night."""
    judgement = situation.judgement
    if judgement.verdict is Verdict.GREEN:
        return _green(situation)
    parts = [_serves(situation), _what_failed(situation), _schema(situation)]
    return "; ".join(part for part in parts if part) + "."


def short(commit: str | None) -> str:
    """The first eight characters of a commit, or ``unknown commit``."""
    return commit[:8] if commit else "unknown commit"


def _green(situation: Situation) -> str:
    release = situation.release
    version = f"{release.name} " if release else ""
    count = len(situation.judgement.passed)
    schema = situation.schema
    where = f"; schema at {schema.current}" if schema and schema.current else ""
    return (
        f"{situation.app} serves {version}({short(situation.commit)}): "
        f"{count} of {count} required checks pass{where}."
    )


def _serves(situation: Situation) -> str:
    serving, release = situation.serving, situation.release
    if situation.serves_nothing:
        return f"{situation.app} serves no slug yet"
    if serving is None:
        return f"{situation.app}: what it serves is not known"
    still = ""
    if release is not None and serving.version != release.version:
        still = "still " if serving.version < release.version else "now "
    text = f"{situation.app} {still}serves {_label(serving)}"
    if serving.status == "failed":
        text += ", though its release command failed"
    if situation.served_commit and serving.commit and situation.served_commit != serving.commit:
        text += f", and the app says it is {short(situation.served_commit)}"
    return text


def _label(release: ReleaseState) -> str:
    return f"{release.name} ({short(release.commit)})"


def _what_failed(situation: Situation) -> str:
    judgement = situation.judgement
    release = situation.release
    if release is not None and release.status in ("failed", "expired", "pending"):
        did = {
            "failed": "failed in its release command",
            "expired": "expired before its release command ended",
            "pending": "is still pending: its release command has not ended",
        }[release.status]
        same = situation.serving is not None and situation.serving.version == release.version
        reason = f": {_phase(situation)}" if situation.failed_phase else ""
        head = "it" if same else _label(release)
        if same and release.status == "failed" and not reason:  # said with what serves
            return _named(situation, [n for n in judgement.failed if n != "release.command"])
        others = [name for name in judgement.failed if name not in _FOLLOWS_FROM_RELEASE]
        also = f"; also {_named(situation, others)}" if others else ""
        return f"{head} {did}{reason}{also}"
    if judgement.failed:
        return _named(situation, list(judgement.failed))
    return "not verified: " + _unknown(situation)


_FOLLOWS_FROM_RELEASE = frozenset(
    {"release.command", "release.report", "release.current", "code.dynos", "code.served"}
) | {"schema.head"}


def _phase(situation: Situation) -> str:
    smoke = situation.smoke
    if situation.failed_phase == "smoke" and smoke is not None and smoke.failed:
        with_what = f" with {smoke.reason}" if smoke.reason else ""
        return f"smoke {smoke.failed} of {smoke.total} failed{with_what}"
    reason = f" ({situation.phase_reason})" if situation.phase_reason else ""
    return f"{situation.failed_phase}{reason}"


def _unknown(situation: Situation) -> str:
    """Why nothing is known; one reason that all checks share is said once."""
    names = list(situation.judgement.unknown)
    found = [situation.of(name) for name in names]
    reasons = {item.observed if item else "never asked" for item in found}
    if len(names) > 1 and len(reasons) == 1:
        return reasons.pop()
    return _named(situation, names)


def _named(situation: Situation, names: list[str]) -> str:
    told: list[str] = []
    for name in names[:3]:
        item = situation.of(name)
        told.append(f"{name}: {item.observed}" if item else f"{name}: never asked")
    if len(names) > 3:
        told.append(f"and {len(names) - 3} more")
    return ", ".join(told)


def _schema(situation: Situation) -> str:
    schema = situation.schema
    if schema is None or schema.current is None:
        return ""
    if schema.relation == "ahead":
        return f"schema IS at {schema.current}, ahead of the code that serves"
    if schema.relation == "behind":
        heads = ", ".join(schema.heads) or "no head"
        return f"schema is at {schema.current}, behind the code that serves ({heads})"
    if schema.relation == "at head":
        return f"schema at {schema.current}, the head of the code that serves"
    if schema.heads:
        heads = ", ".join(schema.heads)
        return f"schema at {schema.current}, not at the head of the code that serves ({heads})"
    return f"schema at {schema.current}"
