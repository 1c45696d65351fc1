"""Red first, frozen, ratchet: what it takes to close a follow-up, and to keep it closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from reviewed_service import CHECK, INCIDENT, PROOF, Service, action

from truegreen.errors import Refused, UsageError
from truegreen.incidents.actions.desk import Desk, today
from truegreen.incidents.actions.proof import Held
from truegreen.incidents.document import Waiver
from truegreen.incidents.document.read import read_review

NOW = datetime(2026, 6, 22, 8, tzinfo=UTC)


def close(service: Service, name: str = "fix", base: str | None = None) -> None:
    with service.desk(base) as desk:
        desk.close(name, NOW)


def standing(service: Service, base: str | None = None) -> str:
    with service.desk(base) as desk:
        (one,) = desk.standings()
        return f"{one.state(date(2026, 6, 22))}: {one.problem}".rstrip(": ")


def test_a_proof_that_was_red_and_holds_closes_and_both_are_written_down(fixed: Service) -> None:
    close(fixed)
    one = read_review(fixed.review).incident.actions[0]
    assert one.status == "closed"
    assert one.closed is not None
    assert one.closed.commit == fixed.git("rev-parse", "HEAD").strip()
    assert one.proof is not None
    assert one.proof.red is not None
    assert (one.proof.red.commit, one.proof.red.exit) == (fixed.bad, 1)
    assert one.proof.red.proof == one.closed.proof
    fixed.commit("closed")
    assert standing(fixed) == "closed"


def test_nothing_but_the_actions_own_lines_changes_in_the_review(fixed: Service) -> None:
    before = fixed.review.read_text().splitlines()
    close(fixed)
    after = fixed.review.read_text().splitlines()
    proof = PROOF.rstrip("\n").splitlines()
    assert [line for line in before if line not in after] == proof


def test_a_proof_that_still_fails_closes_nothing(service: Service) -> None:
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action())
    with pytest.raises(Refused, match="it fails at this commit"):
        close(service)
    assert "status" not in service.review.read_text()


def test_a_proof_that_was_never_red_is_none(service: Service) -> None:
    service.commit(**{"always.py": "print('fine')\n"})
    service.record(action(proof="    proof: {run: [python, always.py], files: [always.py]}\n"))
    with pytest.raises(Refused, match="passes at the incident's state, so it proves nothing"):
        close(service)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("[no-such-program]", "No such file or directory"),
        ('[sh, -c, "exit 127"]', "the command could not be run"),
        ('[python, -m, pytest, -q, "nowhere.py"]', "is the test there"),
    ],
)
def test_what_could_not_be_run_is_not_red(service: Service, run: str, why: str) -> None:
    service.record(action(proof=f"    proof: {{run: {run}}}\n"))
    with pytest.raises(
        Refused, match=r"could not be seen failing at the incident's state: .*" + why
    ):
        close(service)


def test_without_the_incidents_commit_nothing_is_red(service: Service) -> None:
    service.commit("the proof", **{"check.py": CHECK})
    service.record(action())
    text = service.review.read_text()
    service.review.write_text(text.replace(service.bad, "9f02" * 10))
    service.commit()
    with pytest.raises(Refused, match="its commit 9f029f029f02 is not here"):
        close(service)


def test_a_state_beside_the_review_stands_for_a_commit_that_is_gone(service: Service) -> None:
    service.record(action())
    text = service.review.read_text()
    service.review.write_text(text.replace(f"commit: {service.bad}", "state: that-day"))
    service.commit(
        **{
            "docs__incidents__that-day__state.txt": "bad\n",
            "check.py": CHECK,
            "state.txt": "good\n",
        }
    )
    close(service)
    red = read_review(service.review).incident.actions[0].proof
    assert red is not None
    assert red.red is not None
    assert red.red.state == "docs/incidents/that-day"


def test_the_proof_has_to_be_on_the_trusted_revision_first(service: Service) -> None:
    service.git("checkout", "--quiet", "-b", "change")
    service.commit("the fix", **{"check.py": CHECK, "state.txt": "good\n"})
    service.record(action())
    with pytest.raises(Refused, match="its proof is not on the trusted revision main"):
        close(service, base="main")


def test_a_proof_changed_in_the_change_that_closes_it_is_refused(fixed: Service) -> None:
    fixed.git("checkout", "--quiet", "-b", "change")
    fixed.commit("a laxer proof", **{"check.py": "print('fine')\n"})
    with pytest.raises(Refused, match="its proof is not as the trusted revision main has it"):
        close(fixed, base="main")


def test_closed_by_hand_together_with_its_proof_counts_as_open(fixed: Service) -> None:
    close(fixed)
    fixed.git("add", "--all")
    fixed.git("checkout", "--quiet", "-b", "change")
    closed = fixed.review.read_text()
    fixed.git("reset", "--quiet", "--hard", "main")
    lax = closed.replace("id: fix\n", "id: other\n")
    fixed.review.write_text(lax)
    fixed.commit("born closed")
    with fixed.desk("main") as desk:
        one = desk.find("other")
        assert not one.closed
        assert one.problem == "it is closed in the change that brings its proof"


def test_on_the_trusted_branch_itself_the_history_is_asked(fixed: Service) -> None:
    close(fixed)
    (fixed.root / "check.py").write_text(CHECK + "# laxer\n")
    sha = fixed.git("hash-object", "svc/check.py").strip()
    assert sha
    fixed.commit("closes, and changes the proof")
    assert standing(fixed).startswith("reopened: its proof is not the one that it was closed with")


def test_a_closed_item_whose_proof_fails_again_is_open_until_it_holds(fixed: Service) -> None:
    close(fixed)
    fixed.commit("closed")
    bad = fixed.commit("a regression", **{"state.txt": "bad again\n"})
    with fixed.desk() as desk:
        (checked,) = desk.check(desk.standings())
        assert checked.regressed
        assert checked.proven is not None
        assert checked.proven.held is Held.RED
        assert checked.proven.green is not None
        assert checked.proven.green.commit == bad
    assert standing(fixed) == "reopened: its proof was seen failing since it was closed"
    fixed.commit("the fix again", **{"state.txt": "good\n"})
    with fixed.desk() as desk:
        (checked,) = desk.check(desk.standings())
        assert not checked.regressed
    assert standing(fixed) == "closed"


def test_a_change_cannot_loosen_or_remove_what_it_is_judged_by(fixed: Service) -> None:
    close(fixed)
    fixed.commit("closed")
    fixed.git("checkout", "--quiet", "-b", "change")
    fixed.commit("regresses, and says it does not", **{"state.txt": "bad\n", "check.py": "pass\n"})
    with fixed.desk("main") as desk:
        (checked,) = desk.check(desk.standings())
        assert checked.proven is not None
        assert checked.proven.held is Held.RED  # main's check.py was asked
        assert checked.regressed
    fixed.review.unlink()
    fixed.commit("removes the review")
    with fixed.desk("main") as desk:
        (one,) = desk.standings()
        assert (one.closed, one.problem) == (False, "the change removes it")


def test_a_shallow_clone_says_that_it_cannot_know(fixed: Service) -> None:
    close(fixed)
    fixed.commit("closed")
    clone = fixed.top.parent / "clone"
    fixed.git("clone", "--quiet", "--depth=1", f"file://{fixed.top}", str(clone))
    shallow = Service(clone, fixed.bad)
    with shallow.desk() as desk:
        (one,) = desk.standings()
        assert (one.closed, one.sure) == (True, False)
        assert one.problem == "the history is cut off before the commit that closed it"


def test_reopening_takes_a_closed_one_and_says_why(fixed: Service) -> None:
    close(fixed)
    fixed.commit("closed")
    with fixed.desk() as desk:
        desk.reopen("fix", "it came back")
        with pytest.raises(UsageError, match="is no follow-up"):
            desk.reopen("other", "x")
    one = read_review(fixed.review).incident.actions[0]
    assert (one.status, one.closed, one.note) == ("open", None, "it came back")
    fixed.commit("reopened")
    with fixed.desk() as desk, pytest.raises(UsageError, match="is open"):
        desk.reopen("fix", "again")


def waive(desk: Desk, days: int, reason: str = "the edge changes on Monday") -> None:
    desk.waive("fix", Waiver("ada", reason, today() + timedelta(days=days)), today())


def test_a_waiver_is_written_down_expires_and_has_a_longest_time(fixed: Service) -> None:
    with fixed.desk() as desk:
        waive(desk, 3)
        record = desk.ledger.last(kind="action")
        assert record is not None
        assert record.body["waiver"]["by"] == "ada"
        (one,) = desk.standings()  # in force from the ledger, before it is committed
        assert one.state(today()) == "waived"
        assert one.state(today() + timedelta(days=4)) == "open"
        for days, why in ((-1, "is over"), (31, "is too late")):
            with pytest.raises(UsageError, match=why):
                waive(desk, days)
        with pytest.raises(UsageError, match="a name and a reason"):
            waive(desk, 1, " ")
    assert read_review(fixed.review).incident.actions[0].waiver is not None


def test_the_history_of_every_step_stands_in_the_ledger(fixed: Service) -> None:
    close(fixed)
    with fixed.desk() as desk:
        told = [record.body["event"] for record in desk.ledger.records(kind="action")]
        assert told == ["red", "check", "close"]
        assert desk.ledger.verify().holds
        sentences = [record.body["sentence"] for record in desk.ledger.records(kind="action")]
    assert sentences[0] == f"{INCIDENT}/fix: its proof red at {fixed.bad[:8]}"


def test_two_who_change_one_review_at_once_both_find_theirs_written(service: Service) -> None:
    names = [f"fix-{number}" for number in range(8)]
    service.record("".join(action(name) for name in names))

    def waive_one(name: str) -> None:
        with service.desk() as desk:
            desk.waive(name, Waiver("ada", name, today() + timedelta(days=1)), today())

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(waive_one, names))
    waivers = [one.waiver for one in read_review(service.review).incident.actions]
    assert [one.reason for one in waivers if one] == names
