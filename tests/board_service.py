"""A service with a ledger of a few runs, and its board, asked without a socket."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

import truegreen
from truegreen.board import Annex, Sources, make_app
from truegreen.config import load_config
from truegreen.ledger import Ledger

NOW = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)
RECORDED = datetime(2026, 6, 21, 19, 40, tzinfo=UTC)
COMMIT = "9f02" + "a" * 36
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u202e"


def check(name: str, status: str, observed: str = "as it should be", at: str = "19:35:10") -> Any:
    return {
        "name": name, "status": status, "required": True, "observed": observed,
        "expected": "something", "source": "release v154", "at": f"2026-06-21T{at}.000Z",
        "digest": "sha256:00", "detail": {},
    }  # fmt: skip


def event(second: str, step: str, state: str, text: str = "") -> dict[str, str]:
    return {"at": f"2026-06-21T19:35:{second}.000Z", "step": step, "state": state, "text": text}


def red(app: str = "raptor-prod", text: str = "403 direct_origin_blocked") -> dict[str, Any]:
    """The document of a red ship."""
    return {
        "verdict": "red",
        "sentence": f"{app} still serves v153; v154 failed: {text}",
        "app": app,
        "commit": COMMIT,
        "release": {"version": 154, "status": "failed", "current": False},
        "serving": {"version": 153, "status": "succeeded", "current": True, "says": "3c1a" * 10},
        "baseline": {"version": 153, "status": "succeeded", "current": True},
        "schema": {"current": "0046", "heads": ["0044"], "relation": "ahead"},
        "checks": [check("build.succeeded", "pass", at="19:35:02"),
                   check("release.command", "fail", text), check("code.served", "unknown")],
        "diagnosis": [
            {"name": "guard-answered-smoke", "kind": "cause", "sentence": text, "next_step": text,
             "cites": ["release.report"],
             "quotes": [{"source": "output of v154", "line": 7, "text": text, "digest": "x"},
                        {"source": "output of v154", "line": 3, "text": "before", "digest": "x"}]},
        ],
        "recommendation": {"action": "fix forward", "why": "v153 serves on", "command": "",
                           "rehearsal": "truegreen rehearse shows this"},
        "gates": [{"name": "freeze", "status": "fail", "reason": text, "clears": "wait",
                   "source": "f"}],
        "overrides": [{"gate": "freeze", "by": text, "reason": text, "until": "2026-06-22"}],
        "wave": {"known": True, "files": 2, "prs": [{"number": 5, "commit": COMMIT, "title": text}],
                 "commits": [{"id": COMMIT, "subject": text, "authors": [text]}],
                 "migrations": [], "flags": []},
        "notes": [text],
        "timings": {"total": 12.0},
        "events": [event("00", "build", "running"), event("04", "build", "done", text),
                   event("10", "release", "failed", text)],
    }  # fmt: skip


def green(app: str = "raptor-prod") -> dict[str, Any]:
    document = red(app)
    return {
        **document,
        "verdict": "green",
        "sentence": f"{app} serves v155: 11 of 11 required checks pass.",
        "release": {"version": 155, "status": "succeeded", "current": True},
        "diagnosis": [],
        "recommendation": None,
        "schema": {"current": "0046", "heads": ["0046"], "relation": "at head"},
    }


SCHEMAS = Path(truegreen.__file__).parent / "outputs" / "schemas"


@functools.cache
def published(name: str) -> Draft202012Validator:
    """The schema of the board's page (or event) ``name``."""
    schema = json.loads((SCHEMAS / f"board-{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


class Service:
    """A service with a ledger, and its board. Every JSON that it answers fits its schema."""

    def __init__(self, root: Path, more: str = "") -> None:
        """``more``: further lines of its configuration."""
        self.root = root
        root.mkdir(exist_ok=True)
        (root / "truegreen.toml").write_text(
            f'[service]\nname = "raptor"\n[env.production]\napp = "raptor-prod"\n{more}',
            encoding="utf-8",
        )
        self.sources = Sources(load_config(root), now=lambda: NOW)
        self.annexes: list[Annex] = []

    def record(
        self,
        document: Mapping[str, Any],
        kind: str = "ship",
        *,
        app: str = "",
        at: float | None = None,
    ) -> int:
        """``at``: seconds since 1970; twenty minutes before NOW without."""
        where = self.root / ".truegreen" / "ledger.sqlite3"
        with Ledger.open(where) as ledger:
            return ledger.append(
                kind,
                app=app or str(document.get("app", "")),
                commit=COMMIT,
                verdict=document.get("verdict"),
                body=document,
                at=datetime.fromtimestamp(at, UTC) if at is not None else RECORDED,
            ).id

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def ask(
        self, method: str, path: str, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(make_app(self.sources, annexes=self.annexes))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as web:
                return await web.request(method, path, content=content, headers=headers)

        answer = asyncio.run(one())
        if answer.headers.get("content-type") == "application/json":
            document = answer.json()
            published(document["page"]).validate(document)
        return answer
