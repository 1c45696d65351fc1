"""Text to address, the one parser of the tree."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.address import canonical, network, packed, parsed, shown


@given(st.ip_addresses())
def test_every_address_is_read_as_the_standard_library_reads_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert packed(str(address)) == (mapped or address).packed
    assert canonical(str(address)) == str(mapped or address)
    assert parsed(str(address)) == (mapped or address)


@pytest.mark.parametrize(
    "text", ["::ffff:104.16.0.1", "::FFFF:6810:1", "0:0:0:0:0:ffff:104.16.0.1"]
)
def test_a_mapped_address_is_the_v4_address(text: str) -> None:
    assert packed(text) == b"\x68\x10\x00\x01"
    assert canonical(text) == "104.16.0.1"


@pytest.mark.parametrize(
    "text",
    ["", " 1.2.3.4", "1.2.3.4 ", "1.2.3", "01.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "::g",
     "1.2.3.4\x00", "1.2.3.4\n", "１.2.3.4", "\ud800", "0x7f.1", "2130706433", "unknown"],
)  # fmt: skip
def test_what_is_no_address_is_none_and_never_an_exception(text: str) -> None:
    assert packed(text) is None
    assert parsed(text) is None
    assert canonical(text) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    address = packed(text)
    assert address is None or packed(shown(address)) == address


def test_networks_are_read_strictly() -> None:
    assert network("104.16.0.0/13") == (b"\x68\x10\x00\x00", 13)
    assert network("192.0.2.7") == (b"\xc0\x00\x02\x07", 32)
    assert network("::ffff:104.16.0.0/109") == (b"\x68\x10\x00\x00", 13)
    for text in ("104.16.0.1/13", "104.16.0.0/33", "104.16.0.0/-1", "104.16.0.0/", "x/8", "::/129",
                 "104.16.0.0/ 13", "::ffff:0:0/95", "104.16.0.0/1٣"):  # fmt: skip
        with pytest.raises(ValueError, match=r"is not|has"):
            network(text)


def test_a_prefix_length_reaches_from_everything_to_one_address() -> None:
    assert network("0.0.0.0/0") == (bytes(4), 0)
    assert network("::/0") == (bytes(16), 0)
    assert network("192.0.2.1/32") == (b"\xc0\x00\x02\x01", 32)
    assert network("192.0.2.128/25") == (b"\xc0\x00\x02\x80", 25)
    for text in ("104.16.0.2/13", "104.16.0.0/0013", "192.0.2.64/25", "0.0.0.2/0"):
        with pytest.raises(ValueError, match=r"behind its prefix|no prefix length"):
            network(text)
