"""Refreshing a list: what is taken, what is refused, and that the last good one is never lost."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from truegreen.cli.guard import command
from truegreen.errors import Refused, TrueGreenError, Unverified, UsageError
from truegreen.guard import Ranges
from truegreen.guard.ranges import edges
from truegreen.guard.refresh import PUBLISHED, compare, fetch, objections

SHIPPED = json.loads(
    (Path(__import__("truegreen").__file__).parent / "guard/edges/cloudflare.json").read_text()
)["networks"]


class Publisher(ThreadingHTTPServer):
    text = ""
    status = 200
    location = ""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    class Handler(BaseHTTPRequestHandler):
        server: Publisher

        def do_GET(self) -> None:
            self.send_response(self.server.status)
            if self.server.location:
                self.send_header("Location", self.server.location)
            self.end_headers()
            self.wfile.write(self.server.text.encode())

        def log_message(self, *_: object) -> None: ...

    server = Publisher(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, ["ranges", *args], standalone_mode=False)
    if isinstance(done.exception, TrueGreenError):
        return done.exception.exit_code, str(done.exception)
    if done.exception is not None:
        raise done.exception
    return done.return_value or 0, done.output


def url(server: Publisher) -> str:
    return f"http://127.0.0.1:{server.server_port}/ips"


def test_a_refresh_replaces_the_file_and_a_check_says_what_differs(
    publisher: Publisher, tmp_path: Path
) -> None:
    file = tmp_path / "edge.json"
    publisher.text = "\n".join([*SHIPPED[1:], "151.101.0.0/16"])
    code, said = run("--refresh", "--url", url(publisher), str(file))
    assert code == 0, said
    assert "+ 151.101.0.0/16" in said
    assert f"- {SHIPPED[0]}" in said
    listed = Ranges.load(file)
    assert (listed.size, listed.client_header) == (22, "cf-connecting-ip")
    assert "151.101.0.1" in listed
    assert run("--check", str(file))[0] == 0
    assert run("--refresh", "--check", "--url", url(publisher), str(file))[0] == 0
    publisher.text += "\n151.102.0.0/16\n"
    before = file.read_bytes()
    assert run("--refresh", "--check", "--url", url(publisher), str(file))[0] == 1
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["edge.json"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 4),
        ("\n".join(SHIPPED[:5]), 4),
        ("\n".join([*SHIPPED, "10.0.0.0/8"]), 4),
        ("\n".join([*SHIPPED, "0.0.0.0/0"]), 4),
        ("<html>a portal's page</html>", 3),
        ("104.16.0.1/13", 3),
        ("104.16.0.0/255.248.0.0", 3),  # as only some read it
        ("x" * (1 << 20) + "x", 3),
        ("ü", 3),
    ],
)
def test_what_is_suspicious_or_no_list_leaves_the_file_as_it_was(
    publisher: Publisher, tmp_path: Path, text: str, code: int
) -> None:
    file = tmp_path / "edge.json"
    publisher.text = "\n".join(SHIPPED)
    assert run("--refresh", "--url", url(publisher), str(file))[0] == 0
    before = file.read_bytes()
    publisher.text = text
    assert run("--refresh", "--url", url(publisher), str(file))[0] == code
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("new", "named"),
    [
        ([], "empty"),
        ([*SHIPPED, "172.16.0.0/12"], "not a public network"),
        ([*SHIPPED, "fd00::/16"], "not a public network"),
        ([*SHIPPED, "2001:db8::/32"], "not a public network"),
        ([*SHIPPED, "2000::/3"], "default route"),
        ([*SHIPPED, "::/0"], "default route"),
        ([*SHIPPED, "128.0.0.0/7"], "default route"),
        ([one for one in SHIPPED if ":" in one], "15 of 15 IPv4"),
        ([one for one in SHIPPED if ":" not in one], "7 of 7 IPv6"),
        ([*SHIPPED, "32.0.0.0/8"], "grown"),
        ([one.replace("/13", "/16").replace("/14", "/16") for one in SHIPPED], "half of the IPv4"),
    ],
)
def test_each_suspicious_change_is_named(new: list[str], named: str) -> None:
    assert any(named in one for one in objections(SHIPPED, new))


def test_an_ordinary_change_is_taken() -> None:
    changed = [*SHIPPED[3:], "151.101.0.0/16"]
    assert objections(SHIPPED, changed) == []
    assert objections(SHIPPED, SHIPPED) == []
    change = compare(SHIPPED, ["\r\n".join(changed), ""][:1], "2026-03-01")
    assert change.added == ("151.101.0.0/16",)
    assert set(change.removed) == set(SHIPPED[:3])


def test_one_empty_text_among_several_is_refused() -> None:
    with pytest.raises(Refused, match="empty"):
        compare(SHIPPED, ["\n".join(SHIPPED), " \n"], "2026-03-01")


def test_an_address_that_does_not_answer_is_unverified(publisher: Publisher) -> None:
    publisher.status = 503
    with pytest.raises(Unverified, match="503"):
        fetch(url(publisher))
    with pytest.raises(Unverified):
        fetch("http://127.0.0.1:1/", timeout=5)


def test_a_list_is_not_read_in_the_clear(publisher: Publisher) -> None:
    for bad in ("http://www.cloudflare.com/ips-v4", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        with pytest.raises(UsageError):
            fetch(bad)
    publisher.status = 302
    publisher.location = "http://192.0.2.1/ips"
    with pytest.raises((UsageError, Unverified)):
        fetch(url(publisher), timeout=1)


def test_a_check_fails_for_a_list_that_is_too_old(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    file.write_text(
        json.dumps({"networks": ["104.16.0.0/13"], "date": "2020-01-01", "max_age_days": 30})
    )
    code, said = run("--check", str(file))
    assert code == 1
    assert "TOO OLD" in said
    assert json.loads(run("--check", "--json", str(file))[1])["stale"] is True


@pytest.mark.parametrize(
    "args", [[], ["--refresh"], ["--refresh", "--edge", "nobody", "x.json"], ["--check", "nowhere"]]
)
def test_a_call_that_means_nothing_is_a_usage_error(args: list[str]) -> None:
    assert run(*args)[0] == 2


FASTLY = Ranges.shipped("fastly")


def fastly() -> dict[str, list[str]]:
    """The shipped list in the form in which Fastly publishes it."""
    networks = json.loads((edges() / "fastly.json").read_text())["networks"]
    return {
        "addresses": [one for one in networks if ":" not in one],
        "ipv6_addresses": [one for one in networks if ":" in one],
    }


def test_fastlys_published_form_refreshes_its_list(publisher: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "fastly.json"
    document = fastly()
    document["addresses"].append("146.75.128.0/17")
    publisher.text = json.dumps(document)
    how = ("--refresh", "--edge", "fastly", "--url", url(publisher), str(file))
    code, said = run(*how)
    assert code == 0, said
    assert "+ 146.75.128.0/17" in said
    listed = Ranges.load(file)
    assert (listed.name, listed.size) == ("fastly", FASTLY.size + 1)
    assert "146.75.200.1" in listed
    before = file.read_bytes()
    for text, expected in (
        (json.dumps({"addresses": [], "ipv6_addresses": []}), 3),
        (json.dumps({"addresses": document["addresses"]}), 3),
        (json.dumps({"addresses": [1], "ipv6_addresses": ["2a04:4e40::/32"]}), 3),
        (json.dumps({"error": "x"}), 3),
        ("{", 3),
        (json.dumps(document | {"addresses": document["addresses"][:3]}), 4),
        (json.dumps(document | {"addresses": [*document["addresses"], "10.0.0.0/8"]}), 4),
    ):
        publisher.text = text
        assert run(*how)[0] == expected, text
        assert file.read_bytes() == before


def test_where_fastly_publishes_is_known() -> None:
    assert PUBLISHED["fastly"] == ("https://api.fastly.com/public-ip-list",)
    assert run("--check", "--edge", "fastly")[0] in {0, 1}  # 1: too old, which it says by itself
