"""What a hundred thousand apps would need, computed from what fleet.py has measured. Each line of
the arithmetic is printed with its numbers; docs/scale.md says what they mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import math
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truegreen.state import DATABASE_URL, Location, locate
from truegreen.watch.budget import Terms
from truegreen.watch.hints import SIGNATURE
from truegreen.watch.shared_budget import SharedBudget
from truegreen.watch.together import lasting

if TYPE_CHECKING:
    from embedded_stage import Table
    from fleet_stage import Call

GRANTED = 4500  # calls an hour, of one account
PAGE = 1000  # apps a call of the list
_GRANTS, _DELIVERIES, _LINES = 300, 2000, 8


@dataclass(frozen=True)
class Measured:
    """``look``: calls of a look at which nothing changed; ``release``: calls from a release's first
    hint to its end being told; ``app_kb``, ``base_mb``: memory; ``cpu_ms``: of a watch, a call;
    ``answer_kb``: of a call, on average; ``grants``: a second, by connections at once (Postgres);
    ``per_call``: transactions of the budget a call; ``hints``: a second, one board."""

    look: float
    release: float
    app_kb: float
    base_mb: float
    cpu_ms: float
    answer_kb: float
    grants: Mapping[int, float]
    hints: float


@dataclass(frozen=True)
class Assumed:
    """What is not measured, but chosen: a fleet, and how busy it is."""

    apps: int = 100_000
    a_day: float = 2.0  # releases an app
    peak: float = 3.0  # the busiest hour, of the average one
    events: int = 2  # webhooks a release: made, ended


def calls_of_a_release(asked: Sequence[Call], apps: Sequence[str], since: float) -> float:
    """Median over ``apps`` of the calls about each since ``since``."""
    counts = [
        sum(call.at >= since and call.path.startswith(f"/apps/{app}/") for call in asked)
        for app in apps
    ]
    return statistics.median(counts)


def flood(table: Table, address: str, secret: str) -> float:
    """Signed deliveries to the board from several connections at once; taken a second."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    codes: dict[int, int] = {}

    def request(number: int) -> bytes:
        told = {"resource": "release", "data": {"app": {"name": f"app-{number % 1000:04}"}},
                "webhook_metadata": {"delivery": {"id": f"flood-{number:08}"}}}  # fmt: skip
        body = json.dumps(told).encode()
        signed = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
        head = f"POST /hints HTTP/1.1\r\nHost: hooks\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + f"{SIGNATURE}: {signed.decode()}\r\n\r\n".encode() + body

    async def line(first: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in range(first, _DELIVERIES, _LINES):
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split()[1])
            codes[status] = codes.get(status, 0) + 1
            if status != 202:  # it closes the connection, and asks to come again
                writer.close()
                await asyncio.sleep(0.2)
                reader, writer = await asyncio.open_connection(host, int(port))
        writer.close()

    async def every() -> None:
        await asyncio.gather(*(line(n) for n in range(_LINES)))

    began = time.perf_counter()
    asyncio.run(every())
    rate = codes.get(202, 0) / (time.perf_counter() - began)
    refused = sum(count for status, count in codes.items() if status != 202)
    table.row(
        f"webhooks that one board takes, {_DELIVERIES:,} at once over {_LINES} connections",
        f"{rate:,.0f}/s; {refused} of them told to come again",
    )
    return rate


def grants(folder: Path) -> dict[int, float]:
    """Grants of one budget a second, by how many connections to Postgres ask at once."""
    from truegreen.embedded.postgres import PostgresServer  # the arithmetic needs none

    found: dict[int, float] = {}

    async def measure() -> None:
        server = PostgresServer(folder / "postgres")
        await server.start()
        try:
            url = await server.create_database("fleet")
            where = locate(folder, {DATABASE_URL: url})
            for at_once in (1, 3):
                found[at_once] = await asyncio.to_thread(_grants, where, at_once)
        finally:
            await server.stop()

    asyncio.run(measure())
    return found


def _grants(where: Location, at_once: int) -> float:
    def take() -> None:
        database = lasting(where)
        budget = SharedBudget(database, "key", Terms(1e6, burst=1e6))
        for _ in range(_GRANTS):
            budget.take()
        database.close()

    first = lasting(where)
    first.clock()  # makes the tables
    first.close()
    threads = [threading.Thread(target=take) for _ in range(at_once)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return at_once * _GRANTS / (time.perf_counter() - began)


def measured(polled: Mapping[str, Any], hooked: Mapping[str, float], folder: Path) -> Measured:
    """``polled``: of part 1; ``hooked``: of part 2."""
    asked: Sequence[Call] = polled["asked"]
    return Measured(
        look=2.0,
        release=hooked["release"],
        app_kb=1000 * (polled["resident_after"] - polled["resident_before"]) / polled["apps"],
        base_mb=polled["resident_before"],
        cpu_ms=1000 * polled["cpu"] / len(asked),
        answer_kb=sum(call.size for call in asked) / len(asked) / 1000,
        grants=grants(folder),
        hints=hooked["hints"],
    )  # fmt: skip


def arithmetic(m: Measured, a: Assumed | None = None) -> str:
    """The lines of the computation."""
    a = a or Assumed()
    busy = a.apps * a.a_day / 24 * a.peak  # releases in the busiest hour
    lines = [
        f"{a.apps:,} apps, {a.a_day:g} releases an app a day, {a.peak:g} times as many in the"
        " busiest hour (assumed); the rest is measured above.",
        "",
        f"releases in that hour: {a.apps:,} × {a.a_day:g} / 24 × {a.peak:g} = {busy:,.0f}",
        f"calls for them: {busy:,.0f} × {m.release:.1f} = {busy * m.release:,.0f}",
    ]
    listing = a.apps / PAGE * 60 / 4
    lines.append(
        f"a list of all every 4 minutes: {a.apps:,} / {PAGE:,} × 60 / 4 = {listing:,.0f} calls"
    )
    for hours in (0.5, 6.0, 24.0):
        around = a.apps * m.look / hours
        every = busy * m.release + listing + around
        lines.append(
            f"a round in {hours:g} h: {a.apps:,} × {m.look:g} / {hours:g} = {around:,.0f} calls; in"
            f" all {every:,.0f} an hour = {math.ceil(every / GRANTED):,} accounts of {GRANTED:,}"
        )
    six = busy * m.release + listing + a.apps * m.look / 6
    tokens, second = math.ceil(six / GRANTED), six / 3600
    slowest = min(m.grants.values())
    lines += [
        "",
        f"With the round of 6 hours: {six:,.0f} calls an hour are {second:.1f} a second.",
        f"CPU: {second:.1f} × {m.cpu_ms:.1f} ms = {second * m.cpu_ms / 1000:.2f} cores",
        f"memory: {tokens} watches × {m.base_mb:.0f} MB + {a.apps:,} × {m.app_kb:.1f} kB ="
        f" {tokens * m.base_mb / 1000 + a.apps * m.app_kb / 1e6:.1f} GB",
        f"network: {second:.1f} × {m.answer_kb:.1f} kB = {second * m.answer_kb / 1000:.2f} MB/s",
        f"database: a grant and a settlement a look of {m.look:g} calls,"
        f" {second:.1f} × 2 / {m.look:g} = {second * 2 / m.look:.1f}/s; Postgres gives"
        f" {slowest:,.0f}/s at least"
        f" ({', '.join(f'{n} at once: {rate:,.0f}/s' for n, rate in m.grants.items())})",
        f"webhooks: {busy:,.0f} × {a.events} / 3600 = {busy * a.events / 3600:.1f}/s; one board"
        f" takes {m.hints:,.0f}/s",
    ]
    return "\n".join(lines)
