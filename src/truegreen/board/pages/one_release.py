"""The page of one release: who said what and when, what failed, what went out, what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from truegreen.board.pages import fields
from truegreen.board.pages.chain import chain
from truegreen.board.pages.fleet import lease
from truegreen.board.pages.one_app import schema
from truegreen.board.pages.run import (
    app_address,
    clears,
    released,
    running,
    sentence_of,
    short_run,
)
from truegreen.ledger import Entry, Record
from truegreen.model import stamp
from truegreen.ship.leases import Claim


def release_document(
    record: Record,
    around: Sequence[Entry],
    claim: Claim | None,
    shipping: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    """``shipping``: the app's run under way, in short.
    ``around``: the app's newest runs, newest first; of them those of the same commit are named,
    and whether this one is the last."""
    body = record.body
    same = [run for run in around if run.commit == record.commit and run.id != record.id]
    newer = around[0] if around and around[0].id > record.id else None
    blocked = clears(record)
    return {
        "page": "release",
        "now": stamp(now),
        **short_run(record, now),
        "app_address": app_address(record.app),
        "sentence": sentence_of(record),
        "released": released(body),
        "running": running(body),
        "baseline": released({"release": body.get("baseline")}),
        "schema": schema(record),
        "lease": lease(claim),
        "shipping": shipping,
        "newer": short_run(newer, now) if newer else None,
        "same_commit": [short_run(run, now) for run in same[:12]] if record.commit else [],
        "blocked": blocked if blocked["why"] else None,
        "rehearsal": fields.text(fields.table(body, "recommendation"), "rehearsal"),
        "chain": chain(body, record.at),
        "diagnosis": [_finding(one) for one in fields.tables(body, "diagnosis")],
        "output": output(body),
        "gates": [_gate(one) for one in fields.tables(body, "gates")],
        "wave": _wave(fields.table(body, "wave")),
        "overrides": [_override(one) for one in fields.tables(body, "overrides")],
        "notes": fields.texts(body, "notes"),
        "hash": record.hash,
        "previous": record.previous,
    }


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": fields.text(finding, "name"),
        "kind": fields.text(finding, "kind") or "cause",
        "sentence": fields.text(finding, "sentence"),
        "next_step": fields.text(finding, "next_step"),
        "cites": fields.texts(finding, "cites"),
    }


def output(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of output that the diagnosis quotes, by their source, in order, each once. The
    ledger keeps these and the digest of the rest."""
    lines: dict[str, dict[int, dict[str, Any]]] = {}
    for finding in fields.tables(body, "diagnosis"):
        for quote in fields.tables(finding, "quotes"):
            number = quote.get("line")
            if type(number) is int:
                said = {"number": number, "text": fields.text(quote, "text")}
                names = lines.setdefault(fields.text(quote, "source"), {}).setdefault(
                    number, {**said, "findings": []}
                )["findings"]
                if fields.text(finding, "name") not in names:
                    names.append(fields.text(finding, "name"))
    found = []
    for source, by_number in lines.items():
        rows, last = [], 0
        for number in sorted(by_number):
            rows.append({**by_number[number], "skipped": max(number - last - 1, 0)})
            last = number
        found.append({"source": source, "lines": rows})
    return found


def _gate(gate: Mapping[str, Any]) -> dict[str, str]:
    status = fields.text(gate, "status")
    return {
        "name": fields.text(gate, "name"),
        "status": status if status in ("pass", "fail") else "unknown",
        "reason": fields.text(gate, "reason"),
        "clears": fields.text(gate, "clears"),
        "source": fields.text(gate, "source"),
    }


def _wave(wave: Mapping[str, Any]) -> dict[str, Any] | None:
    if not wave:
        return None
    numbers = {
        fields.text(one, "commit"): fields.text(one, "number")
        for one in fields.tables(wave, "prs")
    }  # fmt: skip
    return {
        "known": wave.get("known") is True,
        "why": fields.text(wave, "why"),
        "files": wave.get("files") if type(wave.get("files")) is int else None,
        "migrations": [_named(one) for one in _items(wave, "migrations")],
        "flags": [_named(one) for one in _items(wave, "flags")],
        "commits": [
            {
                "short": fields.text(one, "id")[:8],
                "subject": fields.text(one, "subject"),
                "authors": fields.texts(one, "authors"),
                "pull_request": numbers.get(fields.text(one, "id"), ""),
            }
            for one in fields.tables(wave, "commits", 100)
        ],
    }


def _items(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    return value[:100] if isinstance(value, list) else []


def _named(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)[: fields.LONGEST]
    told = [fields.text(item, key) for key in ("revision", "name", "file", "change")]
    return " ".join(filter(None, told)) or "unnamed"


def _override(one: Mapping[str, Any]) -> dict[str, str]:
    names = ("gate", "kind", "by", "reason", "ticket", "until", "at")
    return {name: fields.text(one, name) for name in names}
