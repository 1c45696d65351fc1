"""Actions from the board: what is offered, who may, and everything that must not start one."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from board_service import COMMIT, NOW, Service, green, red

from truegreen.board.actions import Tokens, actions_annex, door
from truegreen.board.actions.forms import LASTS, Forms
from truegreen.board.actions.runs import AT_ONCE, KIND, Runs
from truegreen.errors import UsageError
from truegreen.ledger import Ledger
from truegreen.secret import Secret
from truegreen.state import locate

TOKEN = "kims-token-that-is-long-enough"
SAYS = """
import sys
print(" ".join(sys.argv[1:]), flush=True)
print("\x1b[31m<script>", file=sys.stderr)
"""
WAITS = """
import pathlib, sys, time
while not (pathlib.Path(sys.argv[2]) / "go").exists():
    time.sleep(0.01)
"""
RETRY = "/actions/retry?app=raptor-prod"


class Acting(Service):
    """A board with actions, and a browser of Kim's. The verb is a process that says what it got."""

    def __init__(self, root: Path, verb: str = SAYS, more: str = "") -> None:
        super().__init__(root, more)
        where = locate(root, {})
        self.runs = Runs(where, verb=(sys.executable, "-c", verb), now=lambda: NOW)
        tokens = Tokens({"kim": Secret(TOKEN), "sam": Secret("sams-token-that-is-long-too")})
        self.annexes = [actions_annex(self.sources, tokens, self.runs)]
        self.cookie = ""

    def form(self, path: str = RETRY) -> str:
        """The value that the confirmation page of ``path`` has for this browser."""
        answer = self.ask("GET", path, cookie=self.cookie)
        assert answer.status_code == 200, answer.text
        return self.taken(answer)

    def taken(self, answer: httpx.Response) -> str:
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        found = re.search(r'name="form" value="([^"]+)"', answer.text)
        assert found is not None
        return html.unescape(found[1])

    def send(self, path: str = RETRY, **changed: Any) -> httpx.Response:
        """The answer to Kim's form, ``changed`` in some way; None leaves a thing out."""
        fields = {"form": None, "token": TOKEN} | changed.pop("fields", {})
        fields["form"] = fields["form"] or self.form(path)
        headers = {
            "origin": "http://localhost", "cookie": self.cookie, "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded", **changed,
        }  # fmt: skip
        content = urlencode({k: v for k, v in fields.items() if v is not Ellipsis}).encode()
        given = {name: value for name, value in headers.items() if value is not None}
        return self.ask("POST", path, content, **given)

    def records(self) -> list[dict[str, Any]]:
        with Ledger.open(locate(self.root, {})) as ledger:
            return [dict(one.body) for one in ledger.records(kind=KIND)]

    def ended(self, address: str, records: int = 2) -> dict[str, Any]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            told: dict[str, Any] = self.get(f"{address}.json").json()
            if told["exit"] is not None and len(self.records()) == records:
                return told
            time.sleep(0.02)
        raise AssertionError("it did not end")


@pytest.fixture
def acting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acting]:
    monkeypatch.setattr(door, "PAUSE", 0.0)
    made = Acting(tmp_path / "service")
    made.record(red())
    yield made
    made.sources.close()


def test_a_board_without_actions_has_none(service: Service) -> None:
    service.record(red())
    assert service.get("/actions").status_code == 404
    assert service.ask("POST", RETRY).status_code == 405
    assert "/actions" not in service.get("/apps/raptor-prod").text


def test_an_app_offers_what_fits_it_with_the_exact_command(acting: Acting) -> None:
    page = acting.get("/apps/raptor-prod").text
    assert re.findall(r'href="/actions/([a-z-]+)\?app=raptor-prod"', page) == [
        "verify", "retry", "rollback",
    ]  # fmt: skip
    for name, rest in (
        ("verify", f" --commit {COMMIT}"), ("retry", " --release v154"), ("rollback", ""),
    ):  # fmt: skip
        asked = acting.get(f"/actions/{name}.json?app=raptor-prod")
        assert asked.status_code == 404  # a page of its own has no address but its own
        told = acting.get(f"/actions/{name}?app=raptor-prod", accept="application/json").json()
        assert told["command"] == f"truegreen {name} {acting.root} --env production{rest}"
        assert told["command"] in acting.get(f"/actions/{name}?app=raptor-prod").text
    acting.record(green())
    assert acting.get(RETRY).status_code == 404  # nothing failed
    acting.record(green("elsewhere"))
    assert acting.get("/actions/verify?app=elsewhere").status_code == 404  # of no environment


def test_a_confirmed_action_runs_the_verb_and_is_recorded_with_who(acting: Acting) -> None:
    answer = acting.send()
    assert answer.status_code == 303
    told = acting.ended(answer.headers["location"])
    arguments = f"retry {acting.root} --env production --release v154"
    assert (told["by"], told["exit"], told["verdict"]) == ("kim", 0, "green")
    assert arguments in told["output"]
    assert "\ufffd[31m<script>" in told["output"]
    page = acting.get(answer.headers["location"]).text
    assert page.count("<script") == 1
    began, ended = acting.records()
    assert (began["by"], began["exit"], ended["exit"]) == ("kim", None, 0)
    assert began["command"] == f"truegreen {arguments}"
    listed = acting.get("/actions.json").json()
    assert [(one["by"], one["exit"]) for one in listed["runs"]] == [("kim", 0)]
    everything = json.dumps([acting.records(), told, listed]) + page
    assert TOKEN not in everything


def test_what_runs_is_the_command_line_itself(acting: Acting) -> None:
    runs = Runs(locate(acting.root, {}), now=lambda: NOW)
    tokens = Tokens({"kim": Secret(TOKEN)})
    acting.annexes = [actions_annex(acting.sources, tokens, runs)]
    answer = acting.send("/actions/verify?app=raptor-prod")
    told = acting.ended(answer.headers["location"])
    assert (told["exit"], told["verdict"]) == (3, "unverified")  # there is no platform
    assert told["sentence"] == "Verify again (raptor-prod): ended with 3, it could not find out."
    assert any("could not be asked" in line for line in told["output"])


def test_the_test_message_has_its_button(acting: Acting) -> None:
    assert acting.get("/actions.json").json()["offered"] == []
    assert acting.get("/actions/notify-test").status_code == 404
    notified = Acting(
        acting.root,
        more='[notify]\nwebhook = "https://hooks.example/x"\nsecret = "env:HOOK"\n',
    )
    answer = notified.send("/actions/notify-test")
    assert notified.ended(answer.headers["location"])["output"][0] == f"notify test {acting.root}"
    assert "Send a test message" in notified.get("/actions").text
    notified.sources.close()


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"fields": {"token": ""}}, 403, "nobody has that token"),
        ({"fields": {"token": "x" * 30}}, 403, "nobody has that token"),
        ({"fields": {"token": TOKEN[:-1]}}, 403, "nobody has that token"),
        ({"fields": {"token": ...}}, 400, "the form is not whole"),
        ({"fields": {"form": ...}}, 400, "the form is not whole"),
        ({"fields": {"form": "x"}}, 403, "none of this board"),
        ({"fields": {"form": f"9999999999.{'a' * 22}.{'0' * 64}"}}, 403, "none of this board"),
        ({"cookie": None}, 403, "none of this board"),
        ({"cookie": f"{door.COOKIE}={'a' * 32}"}, 403, "another browser"),
        ({"origin": None}, 403, "not come from a page of this board"),
        ({"origin": "null"}, 403, "not come from a page of this board"),
        ({"origin": "https://evil.example"}, 403, "not come from a page of this board"),
        ({"origin": "http://localhost:81"}, 403, "not come from a page of this board"),
        ({"origin": "http://localhost.evil.example"}, 403, "not come from a page of this board"),
        ({"origin": "file://localhost"}, 403, "not come from a page of this board"),
        ({"sec-fetch-site": "cross-site"}, 403, "another site sent it"),
        ({"sec-fetch-site": "same-site"}, 403, "another site sent it"),
        ({"content-type": "application/json"}, 415, "that is no form"),
        ({"content-type": "text/plain"}, 415, "that is no form"),
        ({"fields": {"token": "x" * 9000}}, 413, "the form is too large"),
        ({"fields": {str(n): "x" for n in range(20)}}, 400, "the form cannot be read"),
    ],
)  # fmt: skip
def test_what_is_not_meant_or_not_allowed_starts_nothing(
    acting: Acting, changed: dict[str, Any], status: int, why: str
) -> None:
    answer = acting.send(**changed)
    assert answer.status_code == status
    assert why in html.unescape(answer.text)
    assert "Nothing was started" in answer.text
    assert acting.records() == []
    assert acting.runs.newest() == []


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_a_strangers_name_for_this_machine_starts_nothing(acting: Acting, host: str) -> None:
    answer = acting.send(host=host, origin=f"http://{host}")
    assert answer.status_code == 421
    assert acting.records() == []


def test_a_form_that_says_a_thing_twice_starts_nothing(acting: Acting) -> None:
    form = urlencode([("form", acting.form()), ("token", TOKEN), ("token", TOKEN)])
    answer = acting.ask(
        "POST", RETRY, form.encode(), origin="http://localhost", cookie=acting.cookie,
        **{"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_starts_nothing(acting: Acting, method: str) -> None:
    form = acting.form()
    query = urlencode({"form": form, "token": TOKEN})
    answer = acting.ask(method, f"{RETRY}&{query}", cookie=acting.cookie)
    assert answer.status_code == 200
    assert acting.ask("PUT", RETRY, cookie=acting.cookie).status_code == 405
    assert acting.ask("POST", "/apps/raptor-prod").status_code == 405
    assert acting.records() == []


def test_a_form_that_is_sent_again_starts_nothing(acting: Acting) -> None:
    form = acting.form()
    assert acting.send(fields={"form": form}).status_code == 303
    again = acting.send(fields={"form": form})
    assert again.status_code == 403
    assert "used already" in again.text
    assert len(acting.runs.newest()) == 1


def test_a_form_with_a_wrong_token_is_used_up_and_the_answer_has_another(acting: Acting) -> None:
    form = acting.form()
    refused = acting.send(fields={"form": form, "token": "wrong"})
    assert "used already" in acting.send(fields={"form": form}).text
    assert acting.send(fields={"form": acting.taken(refused)}).status_code == 303


def test_a_form_for_another_action_or_a_command_that_has_changed_starts_nothing(
    acting: Acting,
) -> None:
    verify = acting.form("/actions/verify?app=raptor-prod")
    assert acting.send(fields={"form": verify}).status_code == 403
    form = acting.form()
    document = red()
    acting.record({**document, "release": {**document["release"], "version": 155}})
    refused = acting.send(fields={"form": form})
    assert "not the same any more" in refused.text
    assert "--release v155" in refused.text
    assert acting.runs.newest() == []


def test_a_form_lasts_ten_minutes() -> None:
    now = [1000.0]
    forms = Forms(clock=lambda: now[0])
    visit = forms.visit("")
    form = forms.make(visit, "truegreen retry")
    now[0] += LASTS + 1.5
    assert forms.use(form, visit, "truegreen retry") == "the form is too old"
    assert forms.use(forms.make(visit, "truegreen retry"), visit, "truegreen retry") == ""
    assert Forms().use(form, visit, "truegreen retry") != ""  # another board's
    assert forms.visit(visit) == visit
    assert forms.visit("x; Path=/") != "x; Path=/"


def test_what_cannot_be_recorded_is_not_started(
    acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from truegreen.state import StateError

    def away(*_: object, **__: object) -> None:
        raise StateError("the database is away")

    form = acting.form()
    monkeypatch.setattr(Ledger, "append", away)
    answer = acting.send(fields={"form": form})
    assert answer.status_code == 503
    assert "the database is away" in answer.text
    assert acting.runs.newest() == []


def test_no_more_than_a_few_run_at_once(tmp_path: Path) -> None:
    waiting = Acting(tmp_path / "service", WAITS)
    waiting.record(red())
    begun = [waiting.send() for _ in range(AT_ONCE)]
    refused = waiting.send()
    assert refused.status_code == 429
    assert "run already" in refused.text
    assert waiting.get("/actions.json").json()["sentence"] == f"{AT_ONCE} actions run now."
    (waiting.root / "go").touch()
    for one in begun:
        waiting.ended(one.headers["location"], records=2 * AT_ONCE)
    assert waiting.get("/actions.json").json()["sentence"] == "No action runs now."
    waiting.sources.close()


def test_guesses_wait_one_after_the_other(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(door, "PAUSE", 0.5)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    acting.send(fields={"token": "wrong"})
    acting.send()
    assert slept == [0.5]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (["kim"], "not NAME=REFERENCE"),
        (["=env:LONG"], "not NAME=REFERENCE"),
        (["k i m=env:LONG"], "not NAME=REFERENCE"),
        (["kim=the-token-itself"], "not a secret reference"),
        (["kim=env:NOT_SET"], "NOT_SET is not set"),
        (["kim=env:SHORT"], "at least 20 characters"),
        (["kim=env:LONG", "kim=env:OTHER"], "names kim twice"),
        (["kim=env:LONG", "sam=env:LONG"], "somebody else has the same token"),
    ],
)  # fmt: skip
def test_tokens_that_are_none_are_refused_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, named: list[str], told: str
) -> None:
    monkeypatch.setenv("LONG", TOKEN)
    monkeypatch.setenv("OTHER", TOKEN + "x")
    monkeypatch.setenv("SHORT", "short")
    with pytest.raises(UsageError, match=re.escape(told)) as error:
        Tokens.of(named)
    assert "the-token-itself" not in str(error.value)


def test_a_token_from_the_environment_is_taken_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("KIMS_TOKEN", TOKEN)
    tokens = Tokens.of(["kim=env:KIMS_TOKEN"])
    assert "KIMS_TOKEN" not in os.environ
    assert tokens.who(TOKEN) == "kim"
    assert tokens.who("") is None
    assert tokens.who("\ud800") is None
