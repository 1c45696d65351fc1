"""Replays the attack matrix through a driver and says what got through.

A refusal proves something only beside a request that is let in: without that control, or when it is
refused too, the answer is that nothing could be found out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from truegreen.guard.attacks import (
    ROUTER_ADDRESS,
    Attack,
    Header,
    Router,
    arriving,
    legitimate,
)
from truegreen.guard.selftest.exchange import Answer, Driver, Request
from truegreen.past_the_edge import EDGE_ADDRESS

REFUSAL = "direct_origin_blocked"
_ROUTERS_OWN = (502, 503, 504)

Verdict = Literal["refused", "through", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attack, or of one control. ``via``: how it was sent."""

    name: str
    says: str
    via: str
    verdict: Verdict
    observed: str

    def as_json(self) -> Mapping[str, str]:
        return {
            "name": self.name,
            "says": self.says,
            "via": self.via,
            "verdict": self.verdict,
            "observed": self.observed,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """All outcomes. ``controls``: legitimate requests, of which each must have come through."""

    attacks: Sequence[Outcome]
    controls: Sequence[Outcome]
    skipped: Sequence[str] = ()

    @property
    def through(self) -> Sequence[Outcome]:
        return [one for one in self.attacks if one.verdict == "through"]

    @property
    def unknown(self) -> Sequence[Outcome]:
        """What leaves the question open: unanswered attacks, controls that were not let in."""
        return [one for one in self.attacks if one.verdict == "unknown"] + [
            one for one in self.controls if one.verdict != "through"
        ]

    @property
    def exit_code(self) -> int:
        """1: something got through. 3: could not find out. 0: nothing got through."""
        if self.through:
            return 1
        return 3 if self.unknown or not self.controls or not self.attacks else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": {0: "green", 1: "red", 3: "unverified"}[self.exit_code],
            "attacks": len(self.attacks),
            "through": [one.as_json() for one in self.through],
            "unknown": [one.as_json() for one in self.unknown],
            "controls": [one.as_json() for one in self.controls],
            "skipped": list(self.skipped),
        }


def judged(answer: Answer, *, bodiless: bool = False, in_process: bool) -> Verdict:
    """Whether ``answer`` is the guard's refusal.

    ``bodiless``: it has no body to say so in (HEAD; a WebSocket, which servers refuse by themselves
    once the guard has closed it). In process everything else came from the application. Over a
    network a 5xx of a router, a request that the server could not read and no answer are unknown,
    and so is a 403 with another body: somebody refused, who knows who.
    """
    if answer.status == 403:
        ours = answer.says == REFUSAL or (bodiless and not answer.body)
        if ours:
            return "refused"
        return "through" if in_process else "unknown"
    if in_process:
        return "through"
    if not answer.status or answer.status in _ROUTERS_OWN:
        return "unknown"
    if answer.status == 400 and not answer.says:
        return "unknown"
    return "through"


def run_in_process(
    driver: Driver,
    attacks: Iterable[Attack],
    *,
    secret: str | None,
    header: str,
    path: str,
    routers: Sequence[Router] = ("2.0", "legacy"),
    websocket: bool = False,
    credulous: bool = False,
    extra: Sequence[Header] = (),
) -> Result:
    """Each attack in the form that it has behind each router; ``websocket`` asks for that too, and
    ``credulous`` for the form that some have under a credulous WSGI server.

    ``secret`` None: no control, and so no verdict but what got through. ``extra``: headers that the
    control needs besides.
    """
    target = path.encode("latin-1")
    attacks = tuple(attacks)
    outcomes: list[Outcome] = []
    controls: list[Outcome] = []
    for router in routers:
        via = "no router" if router == "none" else f"router {router}"
        for attack in attacks:
            if attack.server != "credulous":
                request = _arrived(attack, router)
                outcomes.append(_sent(driver, attack, request, via))
            if credulous and _told_apart(attack):
                request = replace(_arrived(attack, router), credulous=True)
                outcomes.append(_sent(driver, attack, request, f"{via}, credulous server"))
        if secret is not None:
            headers = arriving((*legitimate(secret, header), *extra), EDGE_ADDRESS, router)
            control = Request("GET", target, headers, _peer(EDGE_ADDRESS, router))
            controls.append(_control("legitimate", "through the edge", driver, control, via))
    if websocket:
        outcomes += [
            _sent(driver, attack, _arrived(attack, routers[0], websocket=True), "WebSocket")
            for attack in attacks
            if attack.method == "GET"
            and attack.name != "websocket_upgrade"
            and attack.server != "credulous"
        ]
    skipped = () if secret is not None else ("near misses and the control: no secret was given",)
    return Result(outcomes, controls, skipped)


def run_urls(
    origin: Driver, edge: Driver, attacks: Iterable[Attack], *, header: str, path: str
) -> Result:
    """Each attack that can be sent from here to ``origin``; the controls go through ``edge``."""
    target = path.encode("latin-1")
    attacks = tuple(attacks)
    sendable = [
        attack for attack in attacks if not attack.through_the_edge and attack.server != "credulous"
    ]
    outcomes = [
        _sent(origin, attack, Request(attack.method, attack.target, attack.headers), "origin")
        for attack in sendable
    ]
    forged = ((header.encode("ascii"), b"forged"),)
    controls = [
        _control("legitimate", "through the edge", edge, Request("GET", target), "edge"),
        _control(
            "edge_overwrites",
            "a forged secret through the edge: the rule must set, not add",
            edge,
            Request("GET", target, forged),
            "edge",
        ),
    ]
    skipped = [attack.name for attack in attacks if attack not in sendable]
    return Result(outcomes, controls, skipped)


def _told_apart(attack: Attack) -> bool:
    """Whether a credulous server hands ``attack`` on in another form than a careful one."""
    return attack.server != "careful" and any(b"_" in name for name, _ in attack.headers)


def _arrived(attack: Attack, router: Router, *, websocket: bool = False) -> Request:
    headers = arriving(attack.headers, attack.peer, router)
    return Request(attack.method, attack.target, headers, _peer(attack.peer, router), websocket)


def _peer(peer: str, router: Router) -> str:
    return peer if router == "none" else ROUTER_ADDRESS


def _sent(driver: Driver, attack: Attack, request: Request, via: str) -> Outcome:
    answer = driver.send(request)
    upgrade = request.websocket or attack.name == "websocket_upgrade"
    bodiless = upgrade or attack.method == "HEAD"
    verdict = judged(answer, bodiless=bodiless, in_process=via != "origin")
    if answer.timed_out:
        verdict = "unknown"
    elif request.websocket and not answer.status:
        verdict = "refused"  # neither accepted nor answered: Django raises, and servers close it
    return Outcome(attack.name, attack.says, via, verdict, answer.summary)


def _control(name: str, says: str, driver: Driver, request: Request, via: str) -> Outcome:
    """``through`` when the application answered; a 5xx or a 403 of anybody proves nothing."""
    answer = driver.send(request)
    if answer.says == REFUSAL:
        verdict: Verdict = "refused"
    else:
        verdict = "through" if answer.status and answer.status not in (403, 429) else "unknown"
        if answer.status >= 500:
            verdict = "unknown"
    return Outcome(name, says, via, verdict, answer.summary)
