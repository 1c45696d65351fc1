"""Refreshing a list: what is taken, what is refused, and that the last good one is never lost."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest
from click.testing import CliRunner

from truegreen.cli.guard import command
from truegreen.errors import Refused, TrueGreenError, Unverified, UsageError
from truegreen.guard import Ranges
from truegreen.guard.ranges import RangesError, edges
from truegreen.guard.refresh import (
    PUBLISHED,
    compare,
    fetch,
    objections,
    read_change,
)

SHIPPED = json.loads(
    (Path(__import__("truegreen").__file__).parent / "guard/edges/cloudflare.json").read_text()
)["networks"]


class Publisher(ThreadingHTTPServer):
    text = ""
    status = 200
    headers: tuple[tuple[str, str], ...] = ()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    class Handler(BaseHTTPRequestHandler):
        server: Publisher

        def do_GET(self) -> None:
            moved = self.path == "/moved"
            self.send_response(200 if moved else self.server.status)
            for header in () if moved else self.server.headers:
                self.send_header(*header)
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
        ("\n".join(["ü", *SHIPPED]), 3),
        ('{"addresses": ' + "[" * 100_000, 3),
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
def test_each_suspicious_change_is_named_once(new: list[str], named: str) -> None:
    assert sum(named in one for one in objections(SHIPPED, new)) == 1


SPECIAL = """
    0.1.0.0/16 10.9.0.0/16 100.64.0.0/16 127.0.0.1 169.254.169.254 172.31.0.0/16 192.0.0.8
    192.0.2.1 192.88.99.1 192.168.0.0/24 198.19.0.0/16 198.51.100.1 203.0.113.1 224.0.0.1
    255.255.255.255 ::1 ::ffff:10.0.0.0/120 64:ff9b:1::1 100::1 2001:db8::/48 3fff::1 fd00::/16
    fe80::1 ff02::1
"""


def test_addresses_from_which_no_edge_sends_are_refused() -> None:
    for one in SPECIAL.split():
        assert "is not a public network" in "; ".join(objections(SHIPPED, [*SHIPPED, one])), one


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (["32.0.0.0/16"], ["32.0.0.0/14"], ""),  # four times is growth
        (["32.0.0.0/16"], ["32.0.0.0/14", "32.4.0.0/32"], "grown to 4 times"),
        (["32.0.0.0/16"], ["32.0.0.0/17"], ""),
        (["32.0.0.0/16"], ["32.0.0.0/18", "32.0.64.0/19"], "half of the IPv4 addresses"),
        (["32.0.0.0/16", "33.0.0.0/16"], ["32.0.0.0/16"], ""),  # half of them
        (["32.0.0.0/16", "33.0.0.0/16", "34.0.0.0/16"], ["32.0.0.0/16"], "2 of 3 IPv4 networks"),
        (["32.0.0.0/16", "33.0.0.0/16"], ["32.0.128.0/17", "33.0.0.0/17"], ""),  # overlaps
        (["32.0.0.0/16"], ["32.0.0.0/17", "32.0.128.0/17"], ""),  # the same in other pieces
        (["32.0.0.0/17", "32.0.128.0/17"], ["32.0.0.0/16"], ""),
        (["32.0.0.0/16"], ["32.0.0.0/16", "2600::/16"], ""),  # a first network of IPv6
        (["32.0.0.0/30"], ["32.0.0.0/28", "32.0.0.15/32"], ""),  # what is nested counts once
        (["32.0.0.255/32"], ["32.0.0.254/31"], ""),
        (["32.0.0.0/16"], ["32.0.128.0/17"], ""),
    ],
)
def test_how_much_may_change(old: list[str], new: list[str], named: str) -> None:
    found = objections(old, new)
    assert len(found) == bool(named)  # one reason is said once
    assert named in "".join(found)


def test_long_lists_are_compared_in_no_time() -> None:
    old = [f"32.{number >> 8}.{number & 255}.0/24" for number in range(6_000)]
    new = [*old, *(f"33.{number >> 8}.{number & 255}.0/24" for number in range(6_000))]
    begun = time.process_time()
    assert len(compare(old, ["\n".join(new)], "2026-03-01").added) == 6_000
    assert time.process_time() - begun < 5  # as pairs: a minute


def test_an_ordinary_change_is_taken() -> None:
    changed = [*SHIPPED[3:], "151.101.0.0/16"]
    assert objections(SHIPPED, changed) == []
    assert objections(SHIPPED, SHIPPED) == []
    change = compare(SHIPPED, ["\r\n".join(changed), ""][:1], "2026-03-01")
    assert change.added == ("151.101.0.0/16",)
    assert set(change.removed) == set(SHIPPED[:3])


def test_a_network_is_one_however_it_is_spelt_and_however_often() -> None:
    current = [one.upper().replace("::/", ":0::/") for one in SHIPPED]
    change = compare(current, ["\n".join([*SHIPPED, *SHIPPED])], "2026-03-01")
    assert (change.added, change.removed, change.networks) == ((), (), tuple(SHIPPED))


def test_one_empty_text_among_several_is_refused() -> None:
    with pytest.raises(Refused, match="empty"):
        compare(SHIPPED, ["\n".join(SHIPPED), " \n"], "2026-03-01")


def test_an_address_that_does_not_answer_is_unverified(publisher: Publisher) -> None:
    publisher.status = 503
    with pytest.raises(Unverified, match="503") as caught:
        fetch(url(publisher))
    assert isinstance(caught.value.__cause__, HTTPError)
    assert caught.value.__cause__.closed  # the connection does not live as long as the error
    publisher.status, publisher.text = 200, f"{SHIPPED[0]}\xa0"
    with pytest.raises(Unverified, match="plain text"):
        fetch(url(publisher))
    for nobody in ("127.0.0.1", "[::1]"):
        with pytest.raises(Unverified):
            fetch(f"http://{nobody}:1/", timeout=5)


def test_an_answer_that_breaks_off_is_no_list(publisher: Publisher) -> None:
    """Its lines are networks, each of them: only the announced length tells."""
    publisher.text = "\n".join(SHIPPED) + "\n"
    publisher.headers = (("Content-Length", str(len(publisher.text) + 1)),)
    with pytest.raises(Unverified, match=f"broke off after {len(publisher.text)} bytes"):
        fetch(url(publisher))
    publisher.headers = (("Transfer-Encoding", "chunked"),)
    publisher.text = "10\r\n104.16.0.0/13"
    with pytest.raises(Unverified):
        fetch(url(publisher))


def test_a_list_of_a_mebibyte_is_read_to_its_end(publisher: Publisher) -> None:
    publisher.text = "x" * (1 << 20)
    assert len(fetch(url(publisher))) == 1 << 20
    publisher.text += "x"
    with pytest.raises(Unverified, match="more than 1048576 bytes"):
        fetch(url(publisher))


@pytest.mark.parametrize("sent", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX-Slow: "])
def test_who_sends_a_byte_now_and_then_is_not_listened_to_for_ever(sent: bytes) -> None:
    given_up = threading.Event()

    def drip(server: socket.socket) -> None:
        with server.accept()[0] as connection:
            connection.sendall(sent)
            while not given_up.wait(0.02):
                connection.sendall(b"1")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        try:
            with pytest.raises(Unverified, match=r"was not read in 0\.3 seconds"):
                fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=10, within=0.3)
        finally:
            given_up.set()
            thread.join()


def test_a_list_is_not_read_in_the_clear(publisher: Publisher) -> None:
    for bad in ("http://www.cloudflare.com/ips-v4", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        with pytest.raises(UsageError):
            fetch(bad)
    publisher.status = 302
    for there, taken in (("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)):
        where = f"http://{there}:{publisher.server_port}/moved"
        publisher.headers = (("Location", where),)
        if taken:
            assert fetch(url(publisher)) == ""
        else:
            with pytest.raises(UsageError, match="not https"):
                fetch(url(publisher), timeout=5)


def test_a_check_fails_for_a_list_that_is_too_old(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    file.write_text(
        json.dumps({"networks": ["104.16.0.0/13"], "date": "2020-01-01", "max_age_days": 30})
    )
    code, said = run("--check", str(file))
    assert code == 1
    assert "TOO OLD" in said
    assert json.loads(run("--check", "--json", str(file))[1])["stale"] is True


def test_a_check_fails_for_a_list_of_a_day_that_is_to_come(tmp_path: Path) -> None:
    """Written while a clock was wrong; it would be believed for as much too long."""
    file = tmp_path / "edge.json"
    for days, code in ((1, 0), (3, 1)):
        day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        file.write_text(json.dumps({"networks": SHIPPED, "date": day, "max_age_days": 30}))
        assert run("--check", str(file))[0] == code
    assert "DATED IN THE FUTURE" in run("--check", str(file))[1]


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--refresh"],
        ["--refresh", "--edge", "nobody", "x.json"],
        ["--check", "nowhere"],
        ["--check", "--edge", "../edges/fastly"],
    ],
)
def test_a_call_that_means_nothing_is_a_usage_error(args: list[str]) -> None:
    assert run(*args)[0] == 2


@pytest.mark.parametrize(
    ("name", "edge", "says"),
    [
        ("edge.txt", "cloudflare", "plain allowlist"),  # JSON in it could not be read again
        ("edge.json", "../edges/fastly", "no edge's name"),
        ("edge.json", "nobody", "no list of this edge"),
        ("nowhere/edge.json", "cloudflare", "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_refused(
    publisher: Publisher, tmp_path: Path, name: str, edge: str, says: str
) -> None:
    publisher.text = "\n".join(SHIPPED)
    code, said = run("--refresh", "--edge", edge, "--url", url(publisher), str(tmp_path / name))
    assert (code, says in said, list(tmp_path.iterdir())) == (2, True, [])


def test_all_addresses_are_asked_and_none_is_an_error(tmp_path: Path) -> None:
    v4, v6 = ("\n".join(one for one in SHIPPED if (":" in one) is of_v6) for of_v6 in (False, True))
    how = {"fetch": {"a": v4, "b": v6}.__getitem__, "today": date(2026, 3, 1)}
    change = read_change(tmp_path / "edge.json", urls=["a", "b"], **how)  # type: ignore[arg-type]
    assert (change.networks, change.date) == (tuple(SHIPPED), "2026-03-01")
    for broken in ("{", "[]", '{"networks": []}', "[" * 100_000):
        (tmp_path / "broken.json").write_text(broken)
        with pytest.raises(RangesError, match=r"broken\.json"):
            read_change(tmp_path / "broken.json", urls=["a", "b"], **how)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no address to read"):
        read_change(tmp_path / "edge.json", urls=[], **how)  # type: ignore[arg-type]


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
    publisher.text = "\n" + json.dumps(document)
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
        (json.dumps({"addresses": 1, "ipv6_addresses": ["2a04:4e40::/32"]}), 3),
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
