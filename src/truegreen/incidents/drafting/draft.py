"""The draft of an incident review, as a document, from an episode of the ledger. Pure.

Sections are those of the SRE book's postmortem, with status, trigger, and where we got lucky. What
we wrote stands in regions, so that a second draft of the same incident can renew it and leaves
alone whatever a person has written since.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from truegreen.errors import UsageError
from truegreen.incidents.document import Action, Detection, Document, Incident
from truegreen.incidents.document.body import region, replace_regions
from truegreen.incidents.drafting import facts, timeline
from truegreen.incidents.drafting.episode import Episode
from truegreen.incidents.drafting.refs import Fact, Ref
from truegreen.incidents.drafting.timeline import Moment
from truegreen.incidents.markdown import plain, table
from truegreen.incidents.record import Cause, slug

PERSON = "_To be written by a person._"
NOTHING = "_Not known from the evidence: to be written by a person._"
MOST_MOMENTS = 200
_PARTS = (  # section, region; a section without a region is a person's alone
    ("Summary", "summary"),
    ("Impact", "impact"),
    ("Timeline", "timeline"),
    ("Trigger", "trigger"),
    ("Contributing factors", "causes"),
    ("Detection", "detection"),
    ("Resolution", "resolution"),
    ("What went well", ""),
    ("What went badly", ""),
    ("Where we got lucky", ""),
    ("What surprised us", ""),
    ("Open questions", "questions"),
    ("Action items", "actions"),
    ("Evidence", "evidence"),
)


def incident_id(episode: Episode) -> str:
    """``DATE-SLUG``: the day (UTC) that the record begins, and the first finding's name."""
    run = episode.red.run
    began = run.began or episode.red.at
    day = began.date().isoformat() if began else "undated"
    failed = run.with_status("fail")
    name = slug(run.causes[0].name) if run.causes else ""
    return f"{day}-{name or (slug(failed[0].check) if failed else '') or 'red-run'}"


def draft(episode: Episode, *, evidence: str = "", there: Document | None = None) -> Document:
    """The review's draft. ``evidence`` is the path of the evidence file, as seen from the review.

    ``there`` is the review when it is there already: then what still is ours in it is renewed, what
    it does not say yet is filled in, and the rest stays. UsageError unless the verdict is red.
    """
    run = episode.red.run
    if run.verdict != "red":
        raise UsageError(
            f"the verdict is {run.verdict}: only a red run is an incident",
            hint="an unverified one is asked again: truegreen verify",
        )
    written = _regions(episode)
    incident = _front(episode, evidence)
    if there is None:
        return Document(incident, _body(incident.id, written))
    body, _ = replace_regions(there.body, written)
    filled = {
        one.name: getattr(incident, one.name)
        for one in dataclasses.fields(Incident)
        if getattr(there.incident, one.name) in (None, "", ()) and one.name != "actions"
    }
    return dataclasses.replace(there.replace(**filled), body=body)


def kept_regions(episode: Episode, there: Document) -> tuple[str, ...]:
    """The regions of ``there`` that a person has changed or removed: a draft leaves them alone."""
    return replace_regions(there.body, _regions(episode))[1]


def _front(episode: Episode, evidence: str) -> Incident:
    run, when = episode.red.run, timeline.times(episode)
    failed = dict.fromkeys(one.check for one in run.with_status("fail"))
    first = when.began or episode.red.at
    return Incident(
        id=incident_id(episode),
        title=" ".join(run.sentence.split()),
        date=first.date() if first else None,
        status="draft",
        began=when.began,
        detected=when.detected,
        ended=when.ended,
        duration=when.duration,
        app=run.app,
        release=run.release.split(" ")[0],
        commit=run.commit,
        blast_radius=" ".join(" ".join(f.text.split()) for f in facts.blast_radius(episode)),
        detection=Detection(", ".join(failed), when.gap) if failed else None,
        evidence=(evidence,) if evidence else (),
        actions=tuple(
            Action(slug(cause.name) or f"action-{number}", " ".join(cause.next_step.split()))
            for number, cause in enumerate(_distinct(episode), start=1)
        ),
    )


def _distinct(episode: Episode) -> list[Cause]:
    return list({slug(one.name): one for one in episode.red.run.causes if one.next_step}.values())


def _body(name: str, written: dict[str, Sequence[str]]) -> str:
    lines = ["", f"# {name}", ""]
    for title, key in _PARTS:
        lines += [f"## {title}", ""]
        lines += region(key, written[key]) if key else [PERSON]
        lines.append("")
    return "".join(f"{line}\n" for line in lines[:-1])


class _Notes:
    """Numbers what is cited, in the order of its first citation."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._refs: list[Ref] = []

    def cite(self, fact: Fact) -> str:
        marks: list[str] = []
        for ref in fact.refs:
            if ref.digest not in self._names:
                self._names[ref.digest] = f"e{len(self._names) + 1}"
                self._refs.append(ref)
            marks.append(f"[^{self._names[ref.digest]}]")
        return f"{plain(fact.text)}{''.join(dict.fromkeys(marks))}"

    def definitions(self) -> list[str]:
        lines: list[str] = []
        for ref in self._refs:
            at = f", {ref.at:%Y-%m-%d %H:%M:%S}Z" if ref.at else ""
            told = f"{plain(ref.what)} ({plain(ref.source)}{at}), `{ref.digest}`"
            lines.append(f"[^{self._names[ref.digest]}]: {told}")
        return lines


def _regions(episode: Episode) -> dict[str, Sequence[str]]:
    notes = _Notes()

    def listed(found: Sequence[Fact], mark: str = "- ") -> list[str]:
        return [f"{mark}{notes.cite(fact)}" for fact in found] or [NOTHING]

    causes = facts.causes(episode)
    written: dict[str, Sequence[str]] = {
        "summary": listed(facts.summary(episode), ""),
        "impact": listed(facts.impact(episode)),
        "timeline": _timeline(episode, notes),
        "trigger": listed(facts.trigger(episode), ""),
        "causes": [
            *(f"- {plain(name)}: {notes.cite(fact)}" for name, fact in causes),
            *listed(facts.contributing(episode)),
        ]
        if causes
        else listed(facts.contributing(episode)),
        "detection": listed(facts.detection(episode)),
        "resolution": listed(facts.resolution(episode)),
        "questions": [f"- {plain(question)}" for question in facts.questions(episode)],
        "actions": _actions(episode),
    }
    written["evidence"] = _evidence(episode, notes)
    return written


def _timeline(episode: Episode, notes: _Notes) -> list[str]:
    moments = timeline.timeline(episode)
    if not moments:
        return [NOTHING]
    rows = [
        (_clock(one), notes.cite(one.fact), plain(one.source)) for one in moments[:MOST_MOMENTS]
    ]
    lines = ["All times UTC.", "", *table(("time (UTC)", "what", "source"), rows)]
    if len(moments) > MOST_MOMENTS:
        lines += ["", f"_{len(moments) - MOST_MOMENTS} more stand in the record._"]
    durations = timeline.durations(episode)
    if durations:
        lines += ["", *(f"- {notes.cite(fact)}" for fact in durations)]
    return lines


def _clock(one: Moment) -> str:
    margin = f" ± {one.margin:.0f} s" if one.margin >= 0.5 else ""
    return f"{one.at:%Y-%m-%d %H:%M:%S}Z{margin}"


def _actions(episode: Episode) -> list[str]:
    rows = [
        (plain(slug(cause.name)), plain(cause.next_step), plain(cause.name))
        for cause in _distinct(episode)
    ]
    if not rows:
        return [NOTHING]
    return [
        "Suggested by the diagnosis; none is agreed. Each needs an owner, a due day, a kind, a "
        "strength and a proof in the front matter.",
        "",
        *table(("id", "suggestion", "because of the finding"), rows),
    ]


def _evidence(episode: Episode, notes: _Notes) -> list[str]:
    red = episode.red
    where = f"{red.name} ({red.kind}" + (f", sha256:{red.hash})" if red.hash else ")")
    return [
        f"Drafted from {plain(where)}. Each digest is that of the cited entry in the record: "
        "`truegreen incident lint` finds it again.",
        "",
        *notes.definitions(),
    ]
