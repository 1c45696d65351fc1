"""Opens what a blob holds, until there is text to scan: encodings, compressed files, archives,
notebooks. What cannot be opened is a gap with its reason, never silence.

Everything is bounded: how deep archives nest, how much they unpack to, how many members they have.
Nothing is written but to an unnamed temporary file.
"""

from __future__ import annotations

import bz2
import json
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from truegreen.gates.scan.formats import cells, decoded, encoding_of
from truegreen.gates.scan.found import Gap, Scanned, Sighting
from truegreen.gates.scan.scanner import MOST, Scanner
from truegreen.secret import Secret

UNPACKED = 256 << 20  # bytes that one blob may unpack to, all its members together
MEMBERS = 20_000  # of one blob
DEPTH = 4  # an archive in an archive in …
NOTEBOOK = 64 << 20  # bytes; a longer one is scanned as the JSON text that it is
_CHUNK = 256 << 10
_HEAD = 8 << 10  # bytes that say what a blob is

Mark = Callable[[str, Secret], str]  # kind, value -> fingerprint

_LFS = b"version https://git-lfs.github.com/spec/"
_Packing = tuple[bytes, Callable[[], Any]]
_PACKED: tuple[_Packing, ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lzma.LZMADecompressor),
)
# What holds text in a form that nothing here opens.
_CLOSED = (
    (b"\x28\xb5\x2f\xfd", "packed with zstd"), (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip"),
    (b"Rar!", "packed with RAR"), (b"%PDF", "a PDF"),
)  # fmt: skip


class TooMuch(Exception):
    """A bound was reached; the text says which."""


@dataclass
class _Account:
    """What one blob has come to so far."""

    sightings: list[Sighting] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    texts: int = 0
    size: int = 0
    unpacked: int = 0
    members: int = 0
    binaries: int = 0  # members of archives

    def spend(self, size: int) -> None:
        self.unpacked += size
        if self.unpacked > UNPACKED:
            raise TooMuch(f"unpacks to more than {UNPACKED >> 20} MiB")


class Opener:
    """Scans blobs of any form with one scanner. ``mark`` makes fingerprints."""

    def __init__(self, scanner: Scanner, mark: Mark) -> None:
        self._scanner = scanner
        self._keys_only = scanner.keys_only()
        self._mark = mark

    def scan(self, blocks: Iterable[bytes]) -> Scanned:
        """All that the blob whose bytes are ``blocks`` comes to. Raises what ``blocks`` raises."""
        account = _Account()
        try:
            self._open(_counted(blocks, account), "", account, 0)
        except TooMuch as bound:
            account.gaps.append(Gap("", f"{bound}: what came before that was scanned", unread=True))
        if account.binaries:
            told = f"{account.binaries} binary members: only keys were looked for"
            account.gaps.append(Gap("", told))
        return Scanned(tuple(account.sightings), tuple(account.gaps), account.texts, account.size)

    def _open(self, blocks: Iterator[bytes], part: str, account: _Account, depth: int) -> None:
        head, blocks = _peek(blocks)
        if head.startswith(_LFS):
            account.gaps.append(Gap(part, "its content is in Git LFS"))
            return
        for magic, unpacker in _PACKED:
            if head.startswith(magic):
                self._unpack(blocks, (magic, unpacker), part, account, depth)
                return
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            self._zip(blocks, part, account, depth)
        elif head[257:262] == b"ustar":
            self._tar(blocks, part, account, depth)
        else:
            self._read(head, blocks, part, account, depth)

    def _read(
        self, head: bytes, blocks: Iterator[bytes], part: str, account: _Account, depth: int
    ) -> None:
        encoding = encoding_of(head)
        if encoding == "utf-8":
            if head.lstrip()[:1] == b"{" and b'"cells"' in head:
                self._notebook(blocks, part, account)
            else:
                self._text(blocks, part, account)
        elif encoding:
            self._text(decoded(blocks, encoding), part, account)
        else:
            why = next((text for magic, text in _CLOSED if head.startswith(magic)), "binary")
            if depth:
                account.binaries += 1
            else:
                account.gaps.append(Gap(part, f"{why}: only keys were looked for"))
            self._text(blocks, part, account, scanner=self._keys_only)

    def _text(
        self,
        blocks: Iterable[bytes],
        part: str,
        account: _Account,
        scanner: Scanner | None = None,
    ) -> None:
        if scanner is None:
            account.texts += 1
            scanner = self._scanner
        for hit in scanner.hits(blocks):
            if len(account.sightings) >= MOST:
                raise TooMuch(f"has more than {MOST} findings")
            fingerprint = self._mark(hit.kind, hit.value)
            account.sightings.append(
                Sighting(hit.kind, hit.line, hit.column, hit.masked, fingerprint, part)
            )

    def _unpack(
        self, blocks: Iterator[bytes], packing: _Packing, part: str, account: _Account, depth: int
    ) -> None:
        try:
            _deeper(depth)
            self._open(_unpacked(blocks, packing, account), part, account, depth + 1)
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            account.gaps.append(Gap(part, f"damaged: {error}", unread=True))

    def _zip(self, blocks: Iterator[bytes], part: str, account: _Account, depth: int) -> None:
        with _spooled(blocks) as file:
            try:
                _deeper(depth)
                with zipfile.ZipFile(file) as archive:
                    for entry in archive.infolist():
                        _one_more(account)
                        if not entry.is_dir():
                            self._zip_member(archive, entry, part, account, depth)
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
                account.gaps.append(Gap(part, f"damaged: {error}", unread=True))

    def _zip_member(
        self,
        archive: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        part: str,
        account: _Account,
        depth: int,
    ) -> None:
        name = f"{part}!{_shown(entry.filename)}"
        try:
            with archive.open(entry) as member:
                self._open(_chunks(member, account), name, account, depth + 1)
        except RuntimeError as error:  # how zipfile says that it is encrypted
            account.gaps.append(Gap(name, f"cannot be read: {error}".split(",")[0], unread=True))
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
            account.gaps.append(Gap(name, f"damaged: {error}", unread=True))

    def _tar(self, blocks: Iterator[bytes], part: str, account: _Account, depth: int) -> None:
        with _spooled(blocks) as file:
            try:
                _deeper(depth)
                with tarfile.open(fileobj=file, mode="r:") as archive:
                    for entry in archive:
                        _one_more(account)
                        member = archive.extractfile(entry) if entry.isreg() else None
                        if member is not None:
                            name = f"{part}!{_shown(entry.name)}"
                            self._open(_chunks(member, account), name, account, depth + 1)
                    # tarfile takes a header that it cannot read for the end
                    file.seek(archive.offset)
                    if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                        raise tarfile.ReadError(f"no header at byte {archive.offset}")
            except (tarfile.TarError, OSError, EOFError) as error:
                account.gaps.append(Gap(part, f"damaged: {error}", unread=True))

    def _notebook(self, blocks: Iterator[bytes], part: str, account: _Account) -> None:
        data = b"".join(_at_most(blocks, NOTEBOOK))
        try:
            texts = list(cells(json.loads(data)))
        except (ValueError, RecursionError, AttributeError, TypeError):
            self._text(_chain(data, blocks), part, account)
            return
        account.texts += 1
        for number, text in texts:
            data = text.encode("utf-8", "surrogatepass")
            self._text([data], f"{part}#cell-{number}", account, self._scanner)


def _unpacked(blocks: Iterable[bytes], packing: _Packing, account: _Account) -> Iterator[bytes]:
    """The content, at most a chunk at a time: a bomb is paid for as it goes off. Packed files one
    behind the other are one, as the tools have it; anything else behind them is not part of it."""
    magic, make = packing
    unpacker = make()
    for block in _chain_end(blocks):
        data = block
        while True:
            out = unpacker.decompress(data, _CHUNK)
            account.spend(len(out))
            if out:
                yield out
            if unpacker.eof:
                data = unpacker.unused_data
                if not data.startswith(magic):
                    return
                unpacker = make()
                continue
            data = getattr(unpacker, "unconsumed_tail", b"")
            if not data and not out:
                break  # all that these bytes have to give
    raise EOFError("it ends too soon")


def _chain_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    yield from blocks
    yield b""


def _chunks(file: IO[bytes], account: _Account) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        account.spend(len(chunk))
        yield chunk


def _counted(blocks: Iterable[bytes], account: _Account) -> Iterator[bytes]:
    for block in blocks:
        account.size += len(block)
        yield block


def _peek(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    taken: list[bytes] = []
    size = 0
    for block in blocks:
        taken.append(block)
        size += len(block)
        if size >= _HEAD:
            break
    whole = taken[0] if len(taken) == 1 else b"".join(taken)
    return whole[:_HEAD], _chain(whole, blocks)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _at_most(blocks: Iterator[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        yield block
        size += len(block)
        if size > most:
            return


def _spooled(blocks: Iterable[bytes]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=8 << 20)  # noqa: SIM115 - the caller closes it
    for block in blocks:
        file.write(block)
    file.seek(0)
    return file


def _deeper(depth: int) -> None:
    if depth >= DEPTH:
        raise TooMuch(f"archives nest more than {DEPTH} deep")


def _one_more(account: _Account) -> None:
    account.members += 1
    if account.members > MEMBERS:
        raise TooMuch(f"has more than {MEMBERS} members")


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
