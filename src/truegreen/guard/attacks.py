"""The attack matrix: what somebody sends who knows the origin's host name, and who must refuse it.

Pure data and pure functions. The conformance suite and ``truegreen guard selftest`` take their
requests from here; sending them is theirs. (verify's are in past_the_edge.py.) Sources: Heroku
devcenter "HTTP Routing", Cloudflare "HTTP headers" and "Transform Rules", PEP 3333.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from truegreen.guard.look_alikes import look_alikes
from truegreen.past_the_edge import EDGE_ADDRESS

Header = tuple[bytes, bytes]
Router = Literal["2.0", "legacy", "none"]
Server = Literal["any", "careful", "credulous"]

# Documentation addresses (RFC 5737) for the attacker.
ATTACKER = "203.0.113.66"
VISITOR = "198.51.100.7"
ROUTER_ADDRESS = "10.1.2.3"

# The checks that an attack can be caught by; a guard joins the ones that it has with *and*.
SECRET, RANGES, WORKER, ACCESS, PRESENCE = (
    "secret",
    "ranges",
    "worker",
    "access",
    "presence_unsafe",
)
_NOT_FROM_THE_EDGE = frozenset({SECRET, RANGES, ACCESS})
_NOTHING_FORGED = _NOT_FROM_THE_EDGE | {PRESENCE}


@dataclass(frozen=True, slots=True)
class Attack:
    """One request that must not get in.

    ``headers``: exactly as the client sends them, duplicates and order included. ``peer``: the
    address that connects to the origin's router. ``caught_by``: the checks of which each alone
    refuses it. ``legacy_join``: behind the legacy router its two X-Forwarded-For lines, joined by
    a WSGI server, end in a forged address: there the ranges do not catch it.

    ``server``: which WSGI servers it is an attack on. A ``careful`` one drops names with ``_``
    (gunicorn, waitress). A ``credulous`` one takes ``_`` for ``-``, as hypercorn, Granian, uWSGI
    and wsgiref do, or takes SCRIPT_NAME from a header, as gunicorn does of a peer that it trusts.
    ``underscored``: under a credulous one the address that it forges comes last: there the ranges
    do not catch it.
    """

    name: str
    says: str
    headers: tuple[Header, ...] = field(default=(), repr=False)
    caught_by: frozenset[str] = _NOT_FROM_THE_EDGE
    method: str = "GET"
    target: bytes = b""
    peer: str = ATTACKER
    legacy_join: bool = False
    server: Server = "any"
    underscored: bool = False

    @property
    def through_the_edge(self) -> bool:
        """Whether it comes from the attacker's own zone: it cannot be sent from just anywhere."""
        return self.peer == EDGE_ADDRESS


def must_be_refused(
    attack: Attack,
    checks: Collection[str] = (SECRET,),
    *,
    joined_by_legacy: bool = False,
    credulous: bool = False,
) -> bool:
    """Whether a guard with these checks refuses ``attack``.

    ``joined_by_legacy``: a WSGI app behind Heroku's legacy router. ``credulous``: under such a
    server.
    """
    catching = attack.caught_by & set(checks)
    if (joined_by_legacy and attack.legacy_join) or (credulous and attack.underscored):
        catching -= {RANGES}
    return bool(catching)


def legitimate(secret: str | None, header: str) -> tuple[Header, ...]:
    """The headers of a request that came through the edge, as Cloudflare sets them."""
    made = [
        (b"CF-Connecting-IP", VISITOR.encode()),
        (b"X-Forwarded-For", VISITOR.encode()),
        (b"CF-Ray", b"8f0c0ffee0ddf00d-FRA"),
        (b"CDN-Loop", b"cloudflare; loops=1"),
    ]
    if secret is not None:
        made.append((header.encode("ascii"), secret.encode("latin-1")))
    return tuple(made)


def arriving(
    headers: Iterable[Header], peer: str = ATTACKER, router: Router = "2.0"
) -> tuple[Header, ...]:
    """``headers`` as the app's server gets them, after the router appended ``peer``.

    Router 2.0 joins the X-Forwarded-For lines and appends; the legacy router appends to the first
    line only and hands a second one on; without a router they stay as they are.
    """
    pairs = list(headers)
    if router == "none":
        return tuple(pairs)
    address = peer.encode()
    forwarded = [n for n, (name, _) in enumerate(pairs) if name.lower() == b"x-forwarded-for"]
    if router == "legacy" and forwarded:
        name, value = pairs[forwarded[0]]
        pairs[forwarded[0]] = (name, value + b", " + address)
        return tuple(pairs)
    chain = [pairs[n][1] for n in forwarded]
    rest = [pair for n, pair in enumerate(pairs) if n not in forwarded]
    return (*rest, (b"X-Forwarded-For", b", ".join([*chain, address])))


def matrix(
    header: str = "X-Origin-Secret",
    *,
    secret: str | None = None,
    exempt: Iterable[str] = (),
    path: str = "/",
) -> tuple[Attack, ...]:
    """Every attack, on a guard that reads its secret from ``header``.

    ``secret``: with it, near misses of it too (a prefix, another case, twice). ``exempt``: paths
    let in unasked; requests for what only looks like one of them are added. ``path``: where to,
    when an attack has no target of its own; must not be exempt. Each has a target.
    """
    found = [*_forged_addresses(), *_from_another_zone(header), *_wrong_secrets(header)]
    found += _elsewhere(header, secret or "forged", path)
    if secret is not None:
        found += _near_misses(header, secret)
    for one in exempt:
        found += _look_alikes(one)
    found += _methods()
    return tuple(_aimed(attack, path) for attack in found)


def _aimed(attack: Attack, path: str) -> Attack:
    if attack.target:
        return attack
    return replace(attack, target=path.encode("latin-1"))


def _forged_addresses() -> list[Attack]:
    connecting = (b"CF-Connecting-IP", VISITOR.encode())
    edge = EDGE_ADDRESS.encode()

    def xff(name: str, says: str, *lines: bytes, legacy_join: bool = False) -> Attack:
        headers = (connecting, *((b"X-Forwarded-For", line) for line in lines))
        return Attack(name, says, headers, legacy_join=legacy_join)

    return [
        Attack("plain", "nothing but the request", caught_by=_NOTHING_FORGED),
        Attack(
            "empty_cf_connecting_ip",
            "an empty CF-Connecting-IP",
            ((b"CF-Connecting-IP", b""),),
            caught_by=_NOTHING_FORGED,
        ),
        Attack("forged_cf_connecting_ip", "a visitor's address, made up", (connecting,)),
        Attack(
            "forged_cf_connecting_ip_edge",
            "one of the edge's own addresses as the visitor's",
            ((b"CF-Connecting-IP", edge),),
        ),
        Attack(
            "two_cf_connecting_ip",
            "CF-Connecting-IP twice",
            (connecting, (b"CF-Connecting-IP", edge)),
        ),
        Attack(
            "all_cloudflare_headers",
            "every header that Cloudflare sets",
            (
                *legitimate(None, ""),
                (b"CF-IPCountry", b"DE"),
                (b"CF-Visitor", b'{"scheme":"https"}'),
                (b"True-Client-IP", VISITOR.encode()),
                (b"X-Forwarded-Proto", b"https"),
            ),
        ),
        Attack(
            "other_address_headers",
            "the edge's address in every other header that some proxy believes",
            (
                connecting,
                (b"X-Real-IP", edge),
                (b"X-Client-IP", edge),
                (b"True-Client-IP", edge),
                (b"X-Cluster-Client-IP", edge),
                (b"Forwarded", b"for=" + edge),
                (b"Via", b"1.1 cloudflare"),
            ),
        ),
        xff("forged_xff", "an edge's address in X-Forwarded-For", edge),
        xff("forged_xff_last", "an edge's address at its end", VISITOR.encode() + b", " + edge),
        xff("forged_xff_v6", "a v6 address of the edge's", b"2606:4700::1111"),
        xff("forged_xff_mapped", "an edge's address as v4-mapped v6", b"::ffff:" + edge),
        xff("two_xff_lines", "two lines, the edge's last", b"1.2.3.4", edge, legacy_join=True),
        xff("two_xff_lines_reversed", "two lines, the edge's first", edge, b"1.2.3.4"),
        xff("three_xff_lines", "three lines", edge, b"1.2.3.4", edge, legacy_join=True),
        Attack(
            "xff_underscored",
            "the edge's address in X_Forwarded_For, which WSGI may read alike",
            (connecting, (b"X-Forwarded-For", b"1.2.3.4"), (b"X_Forwarded_For", edge)),
            underscored=True,
        ),
        xff("xff_empty", "an empty chain", b""),
        xff("xff_commas", "a chain of nothing", b",,, ,"),
        xff("xff_trailing_comma", "an edge's address and a comma", edge + b","),
        xff("xff_garbage", "no address at all", b"unknown, _hidden, <script>"),
        xff("xff_bytes", "bytes above ASCII", b"\xff\xfe\xe2\x82\xac"),
        xff("xff_port", "an address with a port", edge + b":443"),
        xff("xff_brackets", "v6 in brackets, with a zone", b"[2606:4700::1111%eth0]:443"),
        xff("xff_octal", "the address in octal", b"0255.0365.060.01"),
        xff("xff_integer", "the address as one number", b"2918526977"),
        xff("xff_long", "a chain of 150 addresses", b", ".join([edge] * 150)),
    ]


def _from_another_zone(header: str) -> list[Attack]:
    """The peer is the edge, truly; the zone is the attacker's. Only what he cannot set helps."""
    caught = frozenset({SECRET, ACCESS})
    base = legitimate(None, "")
    worker = (b"CF-Worker", b"evil.example")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=") + b".e30."
    return [
        Attack("own_zone", "the attacker's own Cloudflare zone", base, caught, peer=EDGE_ADDRESS),
        Attack(
            "own_zone_rule",
            "his zone, with a Transform Rule that sets our header",
            (*base, (header.encode(), b"forged")),
            caught,
            peer=EDGE_ADDRESS,
        ),
        Attack(
            "own_worker",
            "a Worker in his zone",
            (*base, worker),
            caught | {WORKER},
            peer=EDGE_ADDRESS,
        ),
        Attack(
            "forged_cf_worker",
            "a CF-Worker header, made up",
            (*base, worker),
            _NOT_FROM_THE_EDGE | {WORKER},
        ),
        Attack(
            "unsigned_access_token",
            "a Cloudflare Access token that nobody signed",
            (*base, (b"Cf-Access-Jwt-Assertion", unsigned)),
        ),
        Attack(
            "garbage_access_token",
            "a Cloudflare Access token that is none",
            (*base, (b"Cf-Access-Jwt-Assertion", b"\xff..\x80")),
        ),
    ]


def _wrong_secrets(header: str) -> list[Attack]:
    name, base = header.encode(), legitimate(None, "")
    values = {
        "empty": b"",
        "blank": b"  \t ",
        "word": b"true",
        "null": b"null",
        "undefined": b"undefined",
        "star": b"*",
        "header_name": name,
        "comma": b",",
        "high_bytes": b"\xff\xfe\x80",
        "utf8": "gehëim€".encode(),
        "long": b"a" * 3000,
        "percent": b"%00%0d%0a",
    }
    made = [
        Attack(f"secret_{key}", f"a secret that is {key.replace('_', ' ')}", (*base, (name, value)))
        for key, value in values.items()
    ]
    twice = (*base, (name, b"wrong"), (name.lower(), b"wrong too"))
    return [*made, Attack("secret_twice_wrong", "two wrong secrets, a line each", twice)]


def _near_misses(header: str, secret: str) -> list[Attack]:
    name, base, right = header.encode(), legitimate(None, ""), secret.encode("latin-1")
    lines: dict[str, tuple[bytes, ...]] = {
        "right_then_wrong": (right, b"wrong"),
        "wrong_then_right": (b"wrong", right),
        "right_twice": (right, right),
        "right_then_empty": (right, b""),
        "joined": (right + b"," + right,),
        "joined_to_wrong": (b"wrong, " + right,),
        "last_byte_missing": (right[:-1],),
        "first_byte_missing": (right[1:],),
        "one_byte_more": (right + b"0",),
        "other_case": (right.swapcase(),),
        "reversed": (right[::-1],),
        "quoted": (b'"' + right + b'"',),
        "bearer": (b"Bearer " + right,),
        "base64": (base64.b64encode(right),),
    }
    return [
        Attack(
            f"secret_{key}",
            f"nearly the secret: {key.replace('_', ' ')}",
            (*base, *((name, value) for value in values)),
        )
        for key, values in lines.items()
        if values != (right,)  # no letters to change the case of, a palindrome: no attack
    ]


def _elsewhere(header: str, secret: str, path: str) -> list[Attack]:
    """The right value in the wrong place: still no header that the edge sets."""
    name, base, value = header.encode(), legitimate(None, ""), secret.encode("latin-1")
    target = path.encode("latin-1") + b"?" + name + b"=" + (value if value.isalnum() else b"x")
    return [
        Attack("secret_in_query", "the secret in the query", base, target=target),
        Attack("secret_in_cookie", "the secret as a cookie", (*base, (b"Cookie", name + b"=x"))),
        Attack(
            "secret_in_authorization",
            "the secret as a bearer token",
            (*base, (b"Authorization", b"Bearer " + value)),
        ),
        Attack(
            "secret_underscored",
            "the header with underscores, which WSGI reads alike",
            (*base, (name.replace(b"-", b"_"), value)),
            server="careful",  # the right value: under a credulous one it is the secret
        ),
        Attack(
            "secret_prefixed",
            "the header's CGI name as a header",
            (*base, (b"HTTP-" + name, value)),
        ),
        Attack(
            "connection_names_it",
            "Connection names the secret's header",
            (*base, (name, b"wrong"), (b"Connection", b"close, " + name)),
        ),
    ]


def _look_alikes(exempt: str) -> list[Attack]:
    path = exempt.encode("latin-1")
    made = [
        Attack(
            f"exempt_{key}{exempt}",
            f"looks like the exempt {exempt}: {key.replace('_', ' ')}",
            caught_by=_NOTHING_FORGED,
            target=target,
        )
        for key, target in look_alikes(path).items()
    ]
    cut = Attack(
        f"exempt_cut_off{exempt}",
        f"the exempt {exempt}, which a header SCRIPT_NAME cuts off: the application sees its root",
        ((b"SCRIPT_NAME", path),),
        caught_by=_NOTHING_FORGED,
        target=path,
        server="credulous",
    )
    return [*made, cut]


def _methods() -> list[Attack]:
    base = legitimate(None, "")
    made = [
        Attack(f"method_{method.lower()}", f"a {method} request", base, method=method)
        for method in ("HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "BREW")
    ]
    posted = (*base, (b"Content-Length", b"0"), (b"X-HTTP-Method-Override", b"GET"))
    upgrade = (
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    )
    return [
        *made,
        Attack("method_post", "a POST with another method in a header", posted, method="POST"),
        Attack("websocket_upgrade", "a request to become a WebSocket", (*base, *upgrade)),
    ]
