"""Who is told what, when, and that nothing which goes wrong with it touches a verdict."""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from click.testing import CliRunner

import truegreen
from truegreen.cli import root as command_line
from truegreen.config import Config, load_config
from truegreen.errors import ConfigError
from truegreen.ledger import Ledger
from truegreen.notify.changes import tell_change
from truegreen.notify.deliver import LATE, Means, deliver, places
from truegreen.notify.message import message, text, title, trial
from truegreen.notify.outbox import Letter, Outbox
from truegreen.notify.signature import HEADER, holds, sign
from truegreen.outputs.run_record import RunRecord
from truegreen.secret import Secret
from truegreen.state import Location, locate

SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"
AT = "2026-06-21T19:36:00.000Z"
KEY = "k3y-of-the-signature"
CHAT = "json://user:pa55@127.0.0.1:9/"


def record(verdict: str = "red", **more: Any) -> RunRecord:
    document = {
        "verdict": verdict,
        "sentence": f"shop is {verdict}.",
        "app": "shop",
        "commit": "c" * 40,
        "release": {"version": 2},
        "checks": [
            {"name": "release.command", "status": "fail", "required": True},
            {"name": "health.edge", "status": "unknown", "required": True},
            {"name": "ci.conclusion", "status": "fail", "required": False},
        ],
        "diagnosis": [
            {"name": "x", "kind": "cause", "sentence": "A \x1b[31m.", "next_step": "Pin it.",
             "cites": [], "quotes": [{"text": "a line of output"}]}
        ],
        "recommendation": {"action": "hold", "why": "w", "command": "c", "rehearsal": ""},
    }  # fmt: skip
    return replace(RunRecord(document, "ship", AT, "shop", "production"), **more)


@dataclass
class Receiver:
    """A webhook's other end: answers in order, the last one for ever."""

    answers: list[int | Exception] = field(default_factory=lambda: [200])
    got: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        answer = self.answers[min(len(self.got), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("NOTIFY_SECRET", KEY)
    monkeypatch.setenv("NOTIFY_CHAT", CHAT)
    (tmp_path / "truegreen.toml").write_text(
        '[service]\nname = "shop"\n[notify]\nwebhook = "https://hooks.example.com/x"\n'
        'secret = "env:NOTIFY_SECRET"\napprise = ["env:NOTIFY_CHAT"]\n'
    )
    return load_config(tmp_path)


def means(receiver: Receiver, said: Callable[..., bool] = lambda *_: True) -> Means:
    return Means(httpx.MockTransport(receiver), said, lambda _: None, lambda: 1000.9)


def outbox(config: Config) -> Outbox:
    return Outbox.of(locate(config.root, {}))


def tell(config: Config, given: RunRecord, how: Means) -> list[str]:
    with Ledger.open(locate(config.root, {})) as ledger:
        return tell_change(given, config, ledger, how)


def test_the_message_fits_its_schema_and_holds_no_output(config: Config) -> None:
    schema = json.loads((SCHEMAS / "notification.json").read_text())
    for told in (message(record(), None), message(record("green"), "red"), trial("shop", AT)):
        jsonschema.validate(told, schema)
    told = message(record(), "green")
    assert (told["failed"], told["unknown"]) == (["release.command"], ["health.edge"])
    assert "a line of output" not in json.dumps(told)
    assert title(told) == "shop: red (was green)"
    assert text(told).splitlines() == ["shop is red.", "A  [31m. Pin it.", "hold: w c"]


def test_a_receiver_can_tell_that_it_is_ours_and_when_it_was_sent() -> None:
    header = sign(b"body", Secret("k"), 1000)
    assert header == "t=1000,v1=" + hmac.new(b"k", b"1000.body", sha256).hexdigest()
    assert holds(header, b"body", Secret("k"), 1300)
    for wrong in (
        holds(header, b"body ", Secret("k"), 1000),
        holds(header, b"body", Secret("K"), 1000),
        holds(header, b"body", Secret("k"), 1301),
        holds(header.replace("1000", "1001"), b"body", Secret("k"), 1000),
        holds("", b"body", Secret("k"), 1000),
        holds(header + ",v1=" + "0" * 64, b"body", Secret("k"), 1000),
    ):
        assert not wrong


def test_the_example_in_the_docs_holds(request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "notify.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    header = sign(b"{}", Secret("the key"), 1000)
    exec(example, {"header": header, "body": b"{}", "now": 1000})


def test_a_change_is_told_once_to_everybody_and_a_repeat_to_nobody(config: Config) -> None:
    receiver, chat = Receiver(), []

    def said(*what: Any) -> bool:
        chat.append(what[:2])
        return True

    how = means(receiver, said)
    for verdict in ("red", "red", "green", "green", "red"):
        assert tell(config, record(verdict), how) == []
    told = [json.loads(one.content) for one in receiver.got]
    assert [(one["before"], one["verdict"]) for one in told] == [
        (None, "red"), ("red", "green"), ("green", "red"),
    ]  # fmt: skip
    assert [one[1] for one in chat] == [title(one) for one in told]
    assert chat[0][0] == CHAT
    assert tell(config, record("red", environment="staging"), how) == []
    assert len(receiver.got) == 4
    request = receiver.got[0]
    assert holds(request.headers[HEADER], request.content, Secret(KEY), 1000)
    assert request.headers["Idempotency-Key"] == told[0]["id"]
    assert list(outbox(config).letters()) == []


@pytest.mark.parametrize("writable", [True, False])
def test_without_a_record_trouble_is_told_each_time_and_green_never(
    config: Config, writable: bool
) -> None:
    """verify, whose ledger cannot be opened, told every verdict every time as the first."""
    if not writable:
        (config.root / ".truegreen").write_text("a file where the folder should be")
    receiver = Receiver()

    def verify(verdict: str) -> list[str]:
        with Ledger.open(Location(config.root.parent / "gone")) as ledger:
            return tell_change(record(verdict), config, ledger, means(receiver), recorded=False)

    assert [verify("red"), verify("red"), verify("unverified")] == [[], [], []]
    assert len(receiver.got) == 3
    assert verify("green") == ["nobody was told: whether green is news, only the record knows"]
    assert len(receiver.got) == 3
    assert list(outbox(config).letters()) == []


def test_the_notes_have_no_verdict_of_their_own_and_the_chain_holds(config: Config) -> None:
    tell(config, record(), means(Receiver()))
    with Ledger.open(locate(config.root, {})) as ledger:
        (note,) = ledger.records()
        assert (note.kind, note.verdict, note.body["verdict"]) == ("notify", None, "red")
        assert ledger.verify().holds


@pytest.mark.parametrize(
    ("answers", "calls", "why"),
    [
        ([503, 429, 204], 3, ""),
        ([httpx.ConnectError("x"), 200], 2, ""),
        ([500], 3, "answered 500"),
        ([httpx.ReadTimeout("https://secret")], 3, "no answer: ReadTimeout"),
        ([404, 200], 1, "answered 404"),
        ([302, 200], 1, "answered 302"),
        ([RuntimeError("secret")], 1, "could not be sent: RuntimeError"),
    ],
)
def test_what_may_pass_is_tried_again_and_what_does_not_is_kept(
    config: Config, answers: list[int | Exception], calls: int, why: str
) -> None:
    receiver = Receiver(answers)
    said = tell(config, record(), means(receiver))
    if why.startswith("could not"):
        calls = len(receiver.got)
    assert len(receiver.got) == calls
    assert [one.why for one in outbox(config).letters()] == ([why] if why else [])
    assert all("truegreen notify retry" in one for one in said)
    assert len(said) == bool(why)


def test_the_pauses_grow(config: Config) -> None:
    pauses: list[float] = []
    how = replace(means(Receiver([500])), sleep=pauses.append)
    tell(config, record(), how)
    assert pauses == [0.5, 1.0]


def test_no_address_and_no_key_is_in_what_is_kept_or_said(config: Config) -> None:
    said = tell(config, record(), means(Receiver([500]), lambda *_: False))
    kept = "".join(path.read_text() for path in outbox(config).folder.iterdir())
    for secret in (KEY, "pa55", "hooks.example.com"):
        assert secret not in kept + "".join(said)


def test_one_that_hangs_is_waited_for_no_longer_than_allowed_and_stops_nobody_else(
    config: Config,
) -> None:
    release, receiver = threading.Event(), Receiver()

    def hang(*_: Any) -> bool:
        return release.wait(30)

    config = config._replace(notify=config.notify._replace(timeout=0.5))
    began = time.monotonic()
    said = tell(config, record(), means(receiver, hang))
    assert time.monotonic() - began < 10
    assert len(receiver.got) == 1
    assert [one.why for one in outbox(config).letters()] == [LATE]
    assert len(said) == 1
    release.set()
    for thread in threading.enumerate():
        if thread.name == "notify":
            thread.join(10)
    assert list(outbox(config).letters()) == []  # it was taken after all


@pytest.mark.parametrize("error", [OSError("full"), RuntimeError("bug"), KeyboardInterrupt()])
def test_whatever_breaks_is_a_sentence_and_never_raised(
    config: Config, error: BaseException
) -> None:
    class Broken:
        def records(self, **_: Any) -> Any:
            raise error

    said = tell_change(record(), config, Broken(), means(Receiver()))  # type: ignore[arg-type]
    assert len(said) == 1


def test_a_secret_that_is_not_set_keeps_the_message(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SECRET")
    receiver = Receiver()
    (said,) = tell(config, record(), means(receiver))
    assert "NOTIFY_SECRET is not set" in said
    assert receiver.got == []
    monkeypatch.setenv("NOTIFY_SECRET", KEY)
    letters = list(outbox(config).letters())
    (done,) = deliver(letters, config.notify, outbox(config), means(receiver))
    assert (done.why, list(outbox(config).letters())) == ("", [])


def test_files_that_are_none_of_ours_are_left_alone(config: Config) -> None:
    box = outbox(config)
    box.keep(Letter("webhook", message(record(), None)))
    for name, content in (
        ("x.json", "{}"),
        ("0" * 32 + ".webhook.json", "not json"),
        ("1" * 32 + ".webhook.json", '{"place": "webhook", "message": {}, "why": ""}'),
        ("2" * 32 + ".apprise-1.json", "[]"),
    ):
        (box.folder / name).write_text(content)
    assert [one.place for one in box.letters()] == ["webhook"]


def test_nobody_in_the_configuration_is_nobody_told(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    assert places(config.notify) == ()
    assert tell(config, record(), Means()) == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('webhook = "http://example.com"\nsecret = "env:X"', "no https:// address"),
        ('webhook = "https://example.com"', "notify.secret: is missing"),
        ('webhook = "https://example.com"\nsecret = "hunter2"', "notify.secret: is not a ref"),
        ('apprise = ["slack://a/b/c"]', "has what is not a reference"),
        ('webook = "env:X"', "did you mean notify.webhook"),
        ("timeout = 0", "out of range"),
    ],
)
def test_a_table_that_is_off_says_so_without_the_secret(
    tmp_path: Path, table: str, said: str
) -> None:
    (tmp_path / "truegreen.toml").write_text(f"[notify]\n{table}\n")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert "slack" not in str(raised.value)


def test_the_verb_tests_lists_and_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(holds(self.headers[HEADER], body, Secret(KEY), time.time()))
            self.send_response(status[0])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    def verb(name: str, schema: str) -> tuple[int, Any]:
        done = CliRunner().invoke(
            command_line, ["notify", name, str(tmp_path), "--json"], standalone_mode=False
        )
        told = json.loads(done.stdout)
        jsonschema.validate(told, json.loads((SCHEMAS / f"{schema}.json").read_text()))
        return done.return_value, told

    got: list[bool] = []
    status = [404]
    monkeypatch.setenv("NOTIFY_SECRET", KEY)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        (tmp_path / "truegreen.toml").write_text(
            f'[notify]\nwebhook = "http://127.0.0.1:{server.server_address[1]}/"\n'
            'secret = "env:NOTIFY_SECRET"\n'
        )
        assert verb("test", "notify-sent")[0] == 1
        assert verb("dead", "notify-dead")[1] == []  # a test is not kept
        box = Outbox.of(locate(tmp_path, {}))
        box.keep(Letter("webhook", message(record(), None), "answered 500"))
        assert verb("retry", "notify-sent")[0] == 1
        ((dead,),) = verb("dead", "notify-dead")[1:]
        assert dead["why"] == "answered 404"
        status[0] = 200
        code, told = verb("retry", "notify-sent")
        assert (code, len(told["delivered"]), told["kept"]) == (0, 1, [])
        assert verb("retry", "notify-sent") == (0, {"delivered": [], "kept": []})
        assert verb("test", "notify-sent")[0] == 0
        server.shutdown()
        thread.join(10)
    assert got == [True] * 4


def test_verify_exits_with_its_verdict_whatever_becomes_of_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SECRET", KEY)
    monkeypatch.setenv("TRUEGREEN_PLATFORM_DATA", str(tmp_path / "no-platform"))
    with socket.socket() as free:  # bound, and nobody listens
        free.bind(("127.0.0.1", 0))
        (tmp_path / "truegreen.toml").write_text(
            f'[notify]\nwebhook = "http://127.0.0.1:{free.getsockname()[1]}/"\n'
            'secret = "env:NOTIFY_SECRET"\nattempts = 1\n'
        )
        arguments = ["verify", str(tmp_path), "--commit", "c" * 40, "--quiet"]
        for said in ("webhook was not told: no answer: ConnectError", ""):
            done = CliRunner().invoke(command_line, arguments, standalone_mode=False)
            assert done.return_value == 3, done.output
            assert (said in done.stderr) if said else (done.stderr == "")
