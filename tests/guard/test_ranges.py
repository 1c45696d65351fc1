"""The set of networks: the same answers as the standard library; its file; its age."""

import ipaddress
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truegreen.guard import HEROKU, GuardPolicy, Ranges, RangesError, client_address
from truegreen.guard.spans import DENSE, compile_lookup
from truegreen.guard.wsgi import OriginGuard
from truegreen.secret import Secret

V4 = st.builds(
    lambda first, bits: ipaddress.ip_network((first, bits), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
V6 = st.builds(
    lambda first, bits: ipaddress.ip_network((first, bits), strict=False),
    st.integers(2**64, 2**128 - 1),
    st.integers(0, 128),
)
DAY = 86_400


def edges_of(networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> list[str]:
    """The addresses around every boundary, where a bisect goes wrong first."""
    found = []
    for one in networks:
        last = (1 << one.max_prefixlen) - 1
        for number in (int(one[0]) - 1, int(one[0]), int(one[-1]), int(one[-1]) + 1):
            if 0 <= number <= last:
                found.append(str(one[0].__class__(number)))
    return found


def agrees(networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], dense: int) -> None:
    spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for one in networks:
        spans[one.version].append((int(one[0]), int(one[-1]) + 1))
    holds = compile_lookup(spans[4], spans[6], dense)
    for text in edges_of(networks):
        address = ipaddress.ip_address(text)
        if not getattr(address, "ipv4_mapped", None):
            assert holds(text) == any(address in one for one in networks), text


LISTS = st.lists(st.one_of(V4, V6), min_size=1, max_size=30)


@settings(deadline=None, max_examples=100)
@given(LISTS, st.sampled_from([0, 1, 3, DENSE]))
def test_overlapping_nested_and_adjacent_networks_answer_as_a_linear_scan_does(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], dense: int
) -> None:
    agrees(networks, dense)


NEAR = st.builds(
    lambda last, bits: ipaddress.ip_network((0xC0_00_00_00 + last, bits), strict=False),
    st.integers(0, 2**17 - 1),
    st.integers(14, 32),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(NEAR, min_size=1, max_size=30))
def test_networks_that_share_a_24_or_a_16_answer_as_a_linear_scan_does(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> None:
    agrees(networks, DENSE)


def test_what_lies_beyond_a_rows_last_boundary_is_inside_or_outside_as_it_was() -> None:
    """Far from any boundary, in the same first byte: the tail of a row of v6 addresses."""
    ends, goes_on = Ranges(["2a00::/16"]), Ranges(["2a00::/16", "2a80::/9"])
    assert [ends.holds(one) for one in ("2a00::1", "2a01::", "2aff::1")] == [True, False, False]
    answers = [goes_on.holds(one) for one in ("2a7f::1", "2a80::", "2aff::1", "2b00::")]
    assert answers == [False, True, True, False]


def test_what_begins_before_a_16_or_a_24_and_ends_in_it_is_inside_until_there() -> None:
    listed = Ranges(["10.0.0.0/16", "10.1.0.0/23", "20.0.0.0/24", "20.0.1.0/25"])
    for inside in ("10.0.255.255", "10.1.0.0", "10.1.1.255", "20.0.0.255", "20.0.1.127"):
        assert listed.holds(inside)
    for outside in ("9.255.255.255", "10.1.2.0", "10.2.0.0", "20.0.1.128", "20.0.2.0"):
        assert not listed.holds(outside)


def test_what_is_no_address_is_in_no_network() -> None:
    everything = Ranges(["0.0.0.0/0", "::/0"])
    for text in ("", "10.0.0.1\0", "10.0.0.\udc80", "::1\0", "10.0.0.1 ", "x" * 9999):
        assert not everything.holds(text)


def test_a_long_list_answers_as_a_short_one() -> None:
    texts = [f"{a}.{b}.{c}.0/25" for a in (11, 104) for b in range(40) for c in range(0, 60, 2)]
    listed = Ranges(texts)
    assert listed.size == 2_400
    for b in range(0, 40, 7):
        for c in range(60):
            assert listed.holds(f"104.{b}.{c}.127") == (c % 2 == 0)
            assert not listed.holds(f"104.{b}.{c}.128")
            assert listed.holds(f"::ffff:104.{b}.{c}.1") == (c % 2 == 0)
    assert not listed.holds("2606:4700::1")
    assert not listed.holds("nonsense")


def test_a_dense_list_is_cut_down_to_single_addresses() -> None:
    """Thousands of networks that share their first bytes, as v6 allocations do."""
    v4 = [f"10.0.{c}.{d}/32" for c in range(40) for d in range(0, 256, 2)]
    v6 = [f"2001:db8:{c:x}::/48" for c in range(0, 4000, 2)]
    listed = Ranges([*v4, *v6])
    for number in range(4000):
        assert listed.holds(f"2001:db8:{number:x}::9") == (number % 2 == 0)
        at = f"10.0.{number // 256}.{number % 256}"
        assert listed.holds(at) == (number % 2 == 0)
        assert listed.holds(f"::ffff:{at}") == (number % 2 == 0)
    assert not listed.holds("2001:db7:ffff::")
    assert not listed.holds("2001:db9::")


def test_the_shipped_list_is_cloudflares_of_its_date() -> None:
    listed = Ranges.shipped()
    assert (listed.size, listed.date, listed.client_header) == (
        22,
        "2026-02-11",
        "cf-connecting-ip",
    )
    for inside in ("104.16.0.0", "104.27.255.255", "172.71.255.255", "2606:4700:ffff::1",
                   "2a06:98c7::1", "::ffff:162.158.0.1"):  # fmt: skip
        assert inside in listed
    # 104.28/14 left the old 104.16/12: it carries WARP's users.
    for outside in ("104.28.0.0", "104.15.255.255", "10.1.2.3", "2606:4701::", "2a06:98c8::", "x"):
        assert outside not in listed


def test_fastly_is_an_edge_like_cloudflare() -> None:
    """Its list is a data file; the checks, profiles and adapters are the same."""
    now = [datetime(2026, 11, 1, tzinfo=UTC).timestamp()]
    listed = Ranges.shipped("fastly")
    assert (listed.size, listed.date, listed.client_header) == (21, "2026-10-14", None)
    policy = GuardPolicy("enforce", [Secret("right")], ranges=listed, profile=HEROKU,
                         client_header="fastly-client-ip", clock=lambda: now[0])  # fmt: skip
    entered: list[str | None] = []

    def app(environ: dict[str, object], start: object) -> list[bytes]:
        entered.append(client_address(environ))
        return []

    def ask(edge: str, secret: str = "right") -> list[str | None]:
        entered.clear()
        environ = {
            "HTTP_X_ORIGIN_SECRET": secret,
            "HTTP_X_FORWARDED_FOR": f"203.0.113.9, {edge}",
            "HTTP_FASTLY_CLIENT_IP": "203.0.113.9",
        }
        OriginGuard(app, policy)(environ, lambda *_: None)  # type: ignore[arg-type, return-value]
        return entered

    for edge in ("151.101.1.1", "199.232.255.255", "2a04:4e42:ffff::1"):
        assert ask(edge) == ["203.0.113.9"]
        assert ask(edge, secret="wrong") == []
    for other in ("104.16.0.1", "151.102.0.0", "146.75.128.0", "2a04:4e41::"):
        assert ask(other) == []
    now[0] += 180 * DAY
    assert ask("151.101.1.1") == []
    assert policy.tally.counts["ranges_stale"] == 1


def test_a_list_grows_old() -> None:
    listed = Ranges(["192.0.2.0/24"], date="1970-01-02", max_age_days=30)
    assert listed.age_days(3 * DAY) == 2
    assert not listed.stale(31 * DAY - 1)
    assert listed.stale(31 * DAY)
    assert not Ranges(["192.0.2.0/24"]).stale(1e12)
    assert Ranges(["192.0.2.0/24"]).age_days(1e12) is None


def test_a_plain_allowlist_is_one_network_a_line(tmp_path: Path) -> None:
    file = tmp_path / "office.txt"
    file.write_text("# ours\n192.0.2.0/24   # the office\n\n2001:db8::/32\n")
    listed = Ranges.load(file)
    assert (listed.name, listed.size, listed.client_header) == ("office", 2, None)
    assert "192.0.2.9" in listed
    file.write_text("office")
    with pytest.raises(RangesError, match=r"/office\.txt: networks: 'office' is not an address"):
        Ranges.load(file)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "not a JSON object"),
        ({"networks": []}, "empty"),
        ({"networks": "192.0.2.0/24"}, "list of strings"),
        ({"networks": ["192.0.2.1/24"]}, "behind its prefix"),
        ({"networks": ["192.0.2.0/24"], "date": "2026-02-11"}, "go together"),
        ({"networks": ["192.0.2.0/24"], "date": "11.2.2026", "max_age_days": 9}, "no day"),
        ({"networks": ["192.0.2.0/24"], "date": "2026-02-30", "max_age_days": 9}, "no day"),
        ({"networks": ["192.0.2.0/24"], "date": "2026-02-11", "max_age_days": 0}, "number of days"),
        ({"networks": ["192.0.2.0/24"], "max_age": 3}, "not known"),
        ({"networks": ["192.0.2.0/24"], "edge": 3}, "not a string"),
        ({"networks": ["192.0.2.0/24"], "edge": "\x1b[2J"}, "printable"),
        (
            {"networks": ["192.0.2.0/24"], "date": "2026-02-11", "max_age_days": 10**400},
            "number of days",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_key(
    tmp_path: Path, document: object, named: str
) -> None:
    file = tmp_path / "edge.json"
    file.write_text(json.dumps(document))
    with pytest.raises(RangesError, match=named) as caught:
        Ranges.load(file)
    assert str(file) in str(caught.value)


def test_a_list_may_be_believed_for_a_day_only(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    listed = {"networks": ["192.0.2.0/24"], "date": "1970-01-01", "max_age_days": 1}
    file.write_text(json.dumps(listed))
    assert Ranges.load(file).stale_at == DAY


def test_files_that_are_not_there_or_no_json_are_errors(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for path in (
        tmp_path / "broken.json",
        tmp_path / "deep.json",
        tmp_path / "nowhere.json",
        tmp_path,
    ):
        with pytest.raises(RangesError):
            Ranges.load(path)
    for edge in ("nobody", "../../etc/passwd"):
        with pytest.raises(RangesError, match="cloudflare"):
            Ranges.shipped(edge)
