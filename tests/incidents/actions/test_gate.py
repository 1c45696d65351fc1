"""The gate ``actions``: who refuses a ship, what clears it, and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from reviewed_service import CHECK, INCIDENT, Service, action

from truegreen.config import load_config
from truegreen.gates.question import Question
from truegreen.gates.result import GateResult
from truegreen.incidents.actions.gate import ask
from truegreen.incidents.actions.judge import decide
from truegreen.incidents.actions.proof import Followup, Held
from truegreen.incidents.actions.prove import Proven
from truegreen.incidents.actions.run import Outcome
from truegreen.incidents.actions.standing import Standing
from truegreen.incidents.document import Action, Proof, Waiver
from truegreen.model import Status

NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
NAME = "i/a"


def one(action: Action | None = None, **more: object) -> Standing:
    base = action or Action("a", "pin it", "ada", date(2026, 7, 1), proof=Proof(test="t.py"))
    return replace(Standing(Followup("i", "i.md", base), closed=False), **more)  # type: ignore[arg-type]


def proven(held: Held) -> dict[str, Proven]:
    run = Outcome(held, "", "c", "", 0, 0.1, "", "", "closed")
    return {NAME: Proven(NAME, "sha256:x", None, run)}


def judged(
    standing: Standing, results: dict[str, Proven] | None = None, *, grace: int = 0,
    rollback: bool = False,
) -> GateResult:  # fmt: skip
    return decide(
        [standing], results or {}, now=NOW, grace_days=grace, folder="svc", rollback=rollback
    )


REQUIRED = Action("a", "pin it", required=True, proof=Proof(test="t.py"))


def test_required_refuses_and_names_the_command_that_clears_it() -> None:
    told = judged(one(REQUIRED), proven(Held.RED))
    assert told.status is Status.FAIL
    assert "i/a" in told.reason
    assert "truegreen action check i/a --dir svc" in told.clears
    assert "truegreen action waive i/a --dir svc --by WHO" in told.clears
    assert told.findings[0].text == (
        "is required before the next deploy; its proof fails at this commit: pin it"
    )


def test_the_command_that_clears_it_can_be_pasted_whatever_a_review_holds() -> None:
    evil = replace(one(REQUIRED), followup=Followup("i; rm -rf ~", "i.md", REQUIRED))
    told = decide([evil], {}, now=NOW, grace_days=0, folder="a b")
    assert "action check 'i; rm -rf ~/a' --dir 'a b' (" in told.clears


def test_the_fix_itself_passes() -> None:
    told = judged(one(REQUIRED), proven(Held.HOLDS))
    assert told.open
    assert told.findings[0].kind == "fixed"
    assert not told.findings[0].blocks


def test_what_could_not_be_found_out_keeps_it_shut_as_unknown() -> None:
    told = judged(one(REQUIRED), proven(Held.UNKNOWN))
    assert told.status is Status.UNKNOWN


def test_overdue_counts_from_the_day_after_the_grace() -> None:
    for days, is_open in ((8, False), (9, True), (10, True)):
        assert judged(one(), grace=days).open is is_open, days
    assert "is overdue since 2026-07-01" in judged(one()).findings[0].text


def test_what_is_open_and_not_due_or_closed_is_not_in_the_way() -> None:
    later = Action("a", due=date(2026, 8, 1), proof=Proof(test="t.py"))
    assert judged(one(later)).open
    assert judged(one(REQUIRED, closed=True)).open


def test_one_that_regressed_refuses_whatever_its_day() -> None:
    later = Action("a", due=date(2027, 1, 1), status="closed", proof=Proof(test="t.py"))
    told = judged(one(later, regressed=True, problem="its proof was seen failing"))
    assert not told.open
    assert "counts as open again (its proof was seen failing)" in told.findings[0].text


def test_a_waiver_opens_it_until_its_last_day_and_is_always_shown() -> None:
    for until, is_open in (
        (date(2026, 7, 10), True),
        (date(2026, 7, 9), False),
        (date(2026, 8, 9), True),
        (date(2026, 8, 10), False),  # written by hand, for longer than anybody may
        (date(2099, 1, 1), False),
    ):
        told = judged(one(REQUIRED, waiver=Waiver("ada", "the edge", until)), proven(Held.RED))
        assert told.open is is_open
        assert str(until) in told.findings[0].text


def test_a_rollback_is_never_refused_and_is_told_what_is_open() -> None:
    told = judged(one(REQUIRED), proven(Held.RED), rollback=True)
    assert told.open
    assert "a rollback is never refused" in told.reason
    assert not any(finding.blocks for finding in told.findings)


def test_what_only_a_ship_can_show_is_not_in_its_way() -> None:
    live = Action("a", due=date(2020, 1, 1), proof=Proof(test="t.py", when="live"))
    assert judged(one(live)).open


def asked(service: Service, days: int = 0) -> GateResult:
    moment = datetime.now(UTC) + timedelta(days=days)
    return ask(Question(load_config(service.root), commit="HEAD", now=moment))


@pytest.fixture
def merged(service: Service) -> Service:
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action(required="true"))
    return service


def test_from_refused_to_fixed_to_closed(merged: Service) -> None:
    told = asked(merged)
    assert told.status is Status.FAIL
    assert told.findings[0].where == f"{INCIDENT}/fix"
    merged.commit("the fix", **{"state.txt": "good\n"})
    told = asked(merged)
    assert told.open
    assert "1 shown to be fixed by this commit" in told.reason
    with merged.desk() as desk:
        desk.close("fix", NOW)
    merged.commit("closed")
    told = asked(merged)
    assert (told.open, told.reason) == (True, "1 of 1 follow-ups closed, none in the way")


def test_the_commit_that_would_be_shipped_is_asked_not_the_folder(merged: Service) -> None:
    (merged.root / "state.txt").write_text("good\n")  # not committed, so not shipped
    assert not asked(merged).open


def test_a_required_one_without_a_proof_or_with_two_stays_shut(service: Service) -> None:
    service.record(action(proof="", required="true"))
    told = asked(service)
    assert not told.open
    assert "it has no proof" in told.findings[0].text
    service.record(action(proof="    proof: {run: [true], test: x.py}\n", required="true"))
    assert asked(service).status is Status.UNKNOWN


def test_the_gate_makes_no_ledger_and_leaves_no_trace(merged: Service) -> None:
    asked(merged)
    assert not (merged.root / ".truegreen").exists()
    assert merged.git("status", "--porcelain") == ""
    assert merged.git("worktree", "list").count("\n") == 1


def test_a_service_without_reviews_is_not_asked(service: Service) -> None:
    from truegreen.gates.run import asked_by_ship
    from truegreen.incidents.every_gate import GATES

    assert "actions" not in asked_by_ship(load_config(service.root), GATES)
    service.record(action())
    assert "actions" in asked_by_ship(load_config(service.root), GATES)
