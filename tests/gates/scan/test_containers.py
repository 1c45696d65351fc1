"""What a blob may be besides plain text: encodings, archives, notebooks, bombs, wrecks."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Iterator

import pytest

from truegreen.gates.scan import containers
from truegreen.gates.scan.containers import Opener
from truegreen.gates.scan.found import Scanned
from truegreen.gates.scan.scanner import Scanner

MAIL = b"write to jo@corp.de\n"
KEY = b"ghp_" + b"aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA2bC5"


@pytest.fixture
def opener(fast: Scanner) -> Opener:
    return Opener(fast, lambda kind, _: kind)


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(**members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return file.getvalue()


def scan(opener: Opener, data: bytes, size: int = 1000) -> Scanned:
    return opener.scan(data[start : start + size] for start in range(0, len(data), size))


def parts(scanned: Scanned) -> list[str]:
    return [seen.part for seen in scanned.sightings]


# By name: what compressors write differs from run to run, and a test's name must not.
OPENED = {
    "plain": (MAIL, ""),
    "utf-16": (MAIL.decode().encode("utf-16"), ""),
    "utf-16-le": (MAIL.decode().encode("utf-16-le"), ""),
    "utf-16-be": (MAIL.decode().encode("utf-16-be"), ""),
    "utf-32": (MAIL.decode().encode("utf-32"), ""),
    "utf-8 with a mark": (b"\xef\xbb\xbf" + MAIL, ""),
    "latin-1": (b"caf\xe9 " + MAIL, ""),
    "gz": (gzip.compress(MAIL), ""),
    "bz2": (bz2.compress(MAIL), ""),
    "xz": (lzma.compress(MAIL), ""),
    "two gz in one": (gzip.compress(b"first\n") + gzip.compress(MAIL), ""),
    "zip": (zipped(a=MAIL), "!a"),
    "tar": (tarred(a=MAIL), "!a"),
    "gz in zip in tar in gz": (gzip.compress(tarred(x=zipped(y=gzip.compress(MAIL)))), "!x!y"),
}


@pytest.mark.parametrize("name", OPENED)
@pytest.mark.parametrize("size", [37, 1 << 20])
def test_it_is_opened(opener: Opener, name: str, size: int) -> None:
    data, part = OPENED[name]
    scanned = scan(opener, data, size)
    assert parts(scanned) == [part]
    assert [gap for gap in scanned.gaps if gap.unread] == []


def test_a_notebook_is_read_cell_by_cell(opener: Opener) -> None:
    cells = [
        {"cell_type": "markdown", "source": "hello"},
        {
            "cell_type": "code",
            "source": ["x = 1\n", "mail = 'jo@corp.de'\n"],
            "outputs": [
                {"text": ["a\n", "b\n", "jane@corp.de"]},
                {"data": {"text/html": "<b>joe@corp.de</b>", "image/png": "am9AY29ycC5kZQ=="}},
            ],
        },
    ]
    data = json.dumps({"cells": cells, "nbformat": 4}).encode()
    scanned = scan(opener, data)
    assert [(seen.part, seen.line) for seen in scanned.sightings] == [
        ("#cell-2", 2),
        ("#cell-2", 3),
        ("#cell-2", 1),
    ]
    assert scanned.texts == 1


def test_a_notebook_that_is_none_is_the_text_that_it_is(opener: Opener) -> None:
    for data in (b'{"cells": 3, "mail": "jo@corp.de"}', b'{"cells" jo@corp.de', b'{"cells": [3]}'):
        assert len(parts(scan(opener, data))) == data.count(b"@")


def test_what_is_binary_is_asked_for_keys_and_listed(opener: Opener) -> None:
    scanned = scan(opener, b"\x89PNG\0" + MAIL + KEY)
    assert [seen.kind for seen in scanned.sightings] == ["github-token"]
    assert [gap.why for gap in scanned.gaps] == ["binary: only keys were looked for"]
    assert scanned.texts == 0
    assert "a PDF" in scan(opener, b"%PDF-1.7\n\0").gaps[0].why
    assert "zstd" in scan(opener, b"\x28\xb5\x2f\xfd\0\0").gaps[0].why


def test_binary_members_are_counted_in_one_line(opener: Opener) -> None:
    scanned = scan(opener, zipped(a=b"\0", b=b"\0", c=MAIL))
    assert [gap.why for gap in scanned.gaps] == ["2 binary members: only keys were looked for"]


NOISE = bytes(range(33, 127)) * 40  # compresses to more than a few bytes
DAMAGED = {
    "gz cut off": gzip.compress(NOISE)[:-30],
    "bz2 cut off": bz2.compress(NOISE)[:-30],
    "zip cut off": zipped(a=NOISE)[:80],
    "a zip's first bytes": b"PK\x03\x04 and nothing else",
    "tar with a broken header": tarred(a=MAIL)[:1024] + b"\xff" * 700,
    "gz of noise": b"\x1f\x8b" + b"\xff" * 50,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_unread_and_never_clean(opener: Opener, name: str) -> None:
    assert any(gap.unread for gap in scan(opener, DAMAGED[name]).gaps)


def test_an_encrypted_member_is_unread(opener: Opener) -> None:
    data = bytearray(zipped(a=MAIL))
    data[6] |= 1  # the flag, in the member's header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (gap,) = scan(opener, bytes(data)).gaps
    assert gap.part == "!a"
    assert gap.unread
    assert "encrypted" in gap.why


def test_a_bomb_stops_at_its_bound(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "UNPACKED", 1 << 20)
    for data in (
        zipped(a=bytes(5 << 20)),
        gzip.compress(gzip.compress(bytes(5 << 20))),
        zipped(**{f"m{n}": bytes(400 << 10) for n in range(4)}),
    ):
        (gap,) = [gap for gap in scan(opener, data).gaps if gap.unread]
        assert "unpacks to more than 1 MiB" in gap.why


def test_archives_do_not_nest_forever(opener: Opener) -> None:
    data = MAIL
    for _ in range(8):
        data = zipped(a=data)
    (gap,) = scan(opener, data).gaps
    assert gap.unread
    assert "nest" in gap.why


def test_an_archive_of_very_many_members_stops(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "MEMBERS", 3)
    (gap,) = scan(opener, tarred(a=b"", b=b"", c=b"", d=b"")).gaps
    assert gap.unread
    assert "members" in gap.why


@pytest.mark.parametrize("many", ["one file", "members"])
def test_a_file_full_of_findings_lists_many_and_is_not_taken_for_read(
    opener: Opener, many: str
) -> None:
    data = MAIL * 2500 if many == "one file" else zipped(a=MAIL * 1500, b=MAIL * 1500)
    scanned = scan(opener, data, 1 << 20)
    assert len(scanned.sightings) == 2000
    (gap,) = scanned.gaps
    assert gap.unread
    assert "more than 2000 findings" in gap.why


def test_a_source_that_breaks_off_says_so(opener: Opener) -> None:
    def broken() -> Iterator[bytes]:
        yield MAIL * 2000
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        opener.scan(broken())


def test_a_name_that_a_terminal_would_obey_is_escaped(opener: Opener) -> None:
    assert parts(scan(opener, zipped(**{"a\x1b[2Jb": MAIL}))) == ["!a\\x1b[2Jb"]
