"""Brings an edge's list of networks up to date, by command, never in a request.

Reads what the edge publishes (Cloudflare: ips-v4 and ips-v6, one network a line; Fastly: JSON with
``addresses`` and ``ipv6_addresses``), compares it with the list in use, refuses what looks wrong,
and replaces the file in one step. Whatever fails, the file stays as it was: the last known good.
"""

from __future__ import annotations

import ipaddress
import json
import os
import tempfile
import threading
import time
import urllib.error
import urllib.request
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from glob import escape
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from truegreen.address import network
from truegreen.errors import Refused, Unverified, UsageError
from truegreen.guard.ranges import Ranges, RangesError, edges

CLOUDFLARE_URLS = ("https://www.cloudflare.com/ips-v4", "https://www.cloudflare.com/ips-v6")
PUBLISHED = {
    "cloudflare": CLOUDFLARE_URLS,
    "fastly": ("https://api.fastly.com/public-ip-list",),
}
"""Where each edge that we ship publishes its list."""
_LONGEST = 1 << 20
_UNFINISHED = ".new"
_ABANDONED = 3600.0  # seconds after which nobody writes any more: a refresh was killed
_GROWTH = 4  # times the addresses of before: more is another network's list, or everybody's
_BROADEST = {4: 8, 6: 16}
# IANA's special-purpose registries (RFC 6890 and updates), and multicast: no edge sends from there.
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
        192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
        224.0.0.0/4 240.0.0.0/4 ::/8 100::/64 2001:db8::/32 3fff::/20 fc00::/7
        fe80::/10 ff00::/8
        """.split(),  # noqa: SIM905  # a table, not a string
    )
)

Fetch = Callable[[str], str]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Change:
    """What a refresh found. ``date``: the day on which the new list was read."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    networks: tuple[str, ...]
    date: str


def fetch(url: str, *, timeout: float = 20.0, within: float = 60.0) -> str:
    """The text at ``url``: https, or http on a loopback address; at most 1 MiB.

    In seconds: ``timeout`` for each wait, ``within`` for all of it. Raises Unverified when it
    cannot be had, UsageError for another kind of URL.
    """
    _checked(url)
    got: list[str | Exception] = []

    def read() -> None:
        try:
            got.append(_text(url, timeout))
        except Exception as error:  # noqa: BLE001  # raised below, where it is waited for
            got.append(error)

    # A thread, because sockets only know how long one wait may be: who sends a byte now and then
    # would be listened to for hours. It ends with the connection, at the latest with the process.
    reader = threading.Thread(target=read, name="truegreen-fetch", daemon=True)
    reader.start()
    reader.join(within)
    if not got:
        raise Unverified(f"{url} was not read in {within:g} seconds", hint="try again later")
    if isinstance(got[0], Exception):
        raise got[0]
    return got[0]


def _text(url: str, timeout: float) -> str:
    request = urllib.request.Request(url, headers={"User-Agent": "truegreen"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            _checked(answer.geturl())  # where redirects led
            body: bytes = answer.read(_LONGEST + 1)
            missing = answer.length  # of what Content-Length announced; read(n) does not mind
    except urllib.error.HTTPError as error:
        error.close()
        raise Unverified(f"{url} answered {error.code}") from error
    except (OSError, HTTPException) as error:
        raise Unverified(f"{url} cannot be read: {error}", hint="try again later") from error
    if len(body) > _LONGEST:
        raise Unverified(f"{url} gave more than {_LONGEST} bytes: not a list of networks")
    if missing:
        raise Unverified(f"{url} broke off after {len(body)} bytes", hint="try again later")
    try:
        return body.decode("ascii")
    except UnicodeDecodeError as error:
        raise Unverified(f"{url} gave something else than plain text") from error


def objections(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Why ``new`` should not replace ``old``; empty when nothing speaks against it. Pure.

    Raises ValueError for a malformed network.
    """
    before, after = [_network(one) for one in old], [_network(one) for one in new]
    if not after:
        return ["the new list is empty"]
    found = []
    for one in after:
        if one.prefixlen < _BROADEST[one.version]:
            found.append(f"{one} is as broad as a default route")
        elif any(one.version == bad.version and one.overlaps(bad) for bad in _SPECIAL):
            found.append(f"{one} is not a public network")
    for version in (4, 6):
        was = [one for one in before if one.version == version]
        now = [one for one in after if one.version == version]
        there = _spans(now)
        gone = [one for one in was if not _overlaps(one, there)]
        if len(gone) * 2 > len(was):
            found.append(f"{len(gone)} of {len(was)} IPv{version} networks are gone")
        size, grown = _addresses(_spans(was)), _addresses(there)
        if was and grown < size // 2 and len(gone) * 2 <= len(was):
            found.append(f"more than half of the IPv{version} addresses are gone")
        if was and grown > size * _GROWTH:
            found.append(f"IPv{version} has grown to {grown / size:.0f} times its addresses")
    return found


def compare(current: Sequence[str], texts: Sequence[str], today: str) -> Change:
    """The change from ``current`` to what ``texts``, one for each URL, say. Pure.

    Raises Refused when it is suspicious, Unverified when a text is no list of networks (a captive
    portal's page, an error).
    """
    published: dict[str, None] = {}
    for text in texts:
        lines = _published(text)
        if not lines:
            raise Refused("the published list is empty", hint="the list in use is kept")
        for line in lines:
            try:
                published[str(_network(line))] = None
            except ValueError as error:
                raise Unverified(
                    f"not a list of networks: {line[:60]!r}", hint="the list in use is kept"
                ) from error
    before = {str(_network(one)): one for one in current}
    if against := objections(tuple(before), tuple(published)):
        raise Refused(
            "the new list is suspicious: " + "; ".join(against),
            hint="the list in use is kept; if the change is real, edit the file by hand",
        )
    return Change(
        added=tuple(one for one in published if one not in before),
        removed=tuple(text for one, text in before.items() if one not in published),
        networks=tuple(published),
        date=today,
    )


def _published(text: str) -> list[str]:
    """The networks, as text, that an edge's answer names. Raises Unverified."""
    if not text.lstrip().startswith("{"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        document = json.loads(text)
        lists = [document["addresses"], document["ipv6_addresses"]]
    except (ValueError, KeyError, RecursionError) as error:
        raise Unverified(
            f"not a list of networks: {text[:60]!r}", hint="the list in use is kept"
        ) from error
    networks = [one for each in lists if isinstance(each, list) for one in each]
    if not all(isinstance(each, list) and each for each in lists) or not all(
        isinstance(one, str) for one in networks
    ):
        raise Unverified("not a list of networks: addresses, ipv6_addresses")
    return networks


def read_change(
    path: Path,
    *,
    edge: str = "cloudflare",
    urls: Sequence[str] = CLOUDFLARE_URLS,
    fetch: Fetch = fetch,
    today: date,
) -> Change:
    """What a refresh of ``path`` would change; writes nothing. Without a file there, the list that
    is shipped for ``edge`` is what the new one is compared with.

    Raises Refused, Unverified, UsageError, RangesError.
    """
    if not urls:
        raise UsageError("no address to read the list from", hint="give --url")
    document = _document(path, edge)
    return compare(document["networks"], [fetch(url) for url in urls], today.isoformat())


def apply(path: Path, change: Change, *, edge: str, urls: Sequence[str]) -> None:
    """Replaces the file at ``path`` (the one it leads to, if it is a link) by the list of
    ``change``, in one step; a reader sees the old or the new one. Raises UsageError when it cannot
    be written; then the old one is still there."""
    path = path.resolve()
    document = _document(path, edge)
    document |= {"date": change.date, "source": " ".join(urls), "networks": list(change.networks)}
    document.setdefault("max_age_days", 365)
    text = json.dumps(document, indent=2) + "\n"
    Ranges.from_document(str(path), text)  # what we write, we can read
    try:
        _sweep(path)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, temporary = tempfile.mkstemp(_UNFINISHED, f".{path.name}.", path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from error


def _sweep(path: Path) -> None:
    """Removes what a killed refresh of ``path`` left beside it; not what another writes now."""
    for left in path.parent.glob(f".{escape(path.name)}.*{_UNFINISHED}"):
        with suppress(FileNotFoundError):  # somebody else sweeps, too
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _document(path: Path, edge: str) -> dict[str, Any]:
    if path.suffix != ".json":
        raise RangesError(str(path), "", "is a plain allowlist: nobody publishes it")
    if path.exists():
        Ranges.load(path)
    else:
        Ranges.shipped(edge)
        path = edges() / f"{edge}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _network(text: str) -> _Network:
    """As Ranges will read it; ipaddress only compares and adds up. Raises ValueError."""
    return ipaddress.ip_network(network(text))


def _spans(networks: Sequence[_Network]) -> list[tuple[int, int]]:
    """First and last address of what ``networks``, of one version, cover: ascending, disjoint."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((int(one[0]), int(one[-1])) for one in networks):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged


def _overlaps(one: _Network, spans: Sequence[tuple[int, int]]) -> bool:
    at = bisect_right(spans, (int(one[-1]), float("inf"))) - 1  # the last that begins by its end
    return at >= 0 and spans[at][1] >= int(one[0])


def _addresses(spans: Sequence[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in spans)


def _checked(url: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise UsageError(f"{url}: not https", hint="a list read in the clear can be anybody's")
