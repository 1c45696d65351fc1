"""What a service says of itself: the JSON of its health endpoint. ``verify`` reads it.

Standard library only, no web framework: ``wsgi``, ``asgi`` and ``flask`` put it on the wire. Never
a secret, a flag's value or an exception's text in it: whoever has the token may well log it.
"""

from __future__ import annotations

from types import MappingProxyType

from truegreen.errors import UsageError
from truegreen.frozen import Frozen
from truegreen.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from truegreen.flags import FlagValues

    class GuardState(Protocol):
        """What is told of a guard; GuardPolicy has it."""

        @property
        def mode(self) -> str: ...
        @property
        def list_age_days(self) -> float | None: ...
        @property
        def list_stale(self) -> bool: ...
        @property
        def last_refused_at(self) -> float | None: ...


# An answer kept by a cache would speak for a release that is gone.
HEADERS: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})
TOKEN_HEADER = "X-Health-Token"  # noqa: S105  # a header's name
TOKEN_VARIABLE = "HEALTH_TOKEN"  # noqa: S105
_SHORTEST = 16  # characters; `openssl rand -hex 32` makes 64


class SchemaState(Frozen):
    """``current``: the database's revision, None when it has none. ``heads``: the code's. Raises
    UsageError for heads that are one string."""

    __slots__ = ("current", "heads")
    current: str | None
    heads: tuple[str, ...]

    def __init__(self, current: str | None, heads: tuple[str, ...]) -> None:
        if isinstance(heads, str):
            raise UsageError("SchemaState: heads is one string", hint='write heads=("…",)')
        self._fill(current, heads)


class Health:
    """Reports which code and release serve and, to whoever has the token, schema, guard and flags.

    ``environ`` is read once, here: HEROKU_SLUG_COMMIT and HEROKU_RELEASE_VERSION, which exist only
    with Heroku's runtime-dyno-metadata feature; without them commit and release are null.
    ``token``: what opens the detail view; None: HEALTH_TOKEN in ``environ``; without either nobody
    gets it. ``schema`` is called at every detailed report; it should bound its own time. When it
    raises, the report is a 503. What is told of the guard is this process's own: each worker has
    its own.

    Raises UsageError for a token of less than 16 characters, or that no header carries.
    """

    def __init__(
        self,
        service: str,
        environ: Mapping[str, str],
        schema: Callable[[], SchemaState | None] | None = None,
        guard: GuardState | None = None,
        flags: FlagValues | None = None,
        token: Secret | None = None,
    ) -> None:
        self.service = service
        self.commit = environ.get("HEROKU_SLUG_COMMIT") or None
        self.release = environ.get("HEROKU_RELEASE_VERSION") or None
        self._schema = schema
        self._guard = guard
        self._flags = _flag_names(flags)
        self._token = Secret(environ.get(TOKEN_VARIABLE) or "") if token is None else token
        short = len(self._token.reveal()) < _SHORTEST
        why = f"has less than {_SHORTEST} characters" if short else self._token.unsendable()
        if self._token and why:
            raise UsageError(f"{TOKEN_VARIABLE} {why}", hint="make one with: openssl rand -hex 32")

    def accepts(self, token: str | None) -> bool:
        """Whether ``token`` opens the detail view. Takes as long for every wrong one."""
        return token is not None and bool(self._token) and self._token == Secret(token)

    def answer(self, token: str | None) -> tuple[int, dict[str, Any]]:
        """What to answer a request that sent ``token``: the detail view, else the brief one.

        A wrong token gets no other answer than none, and no hint.
        """
        return self.report() if self.accepts(token) else (200, self.brief())

    def brief(self) -> dict[str, Any]:
        """Costs nothing and asks nobody: this process runs, and this is its code and release."""
        return {
            "status": "ok",
            "service": self.service,
            "commit": self.commit,
            "release": self.release,
            "schema": None,
            "guard": None,
            "flags": None,
        }

    def report(self) -> tuple[int, dict[str, Any]]:
        """The detail view: (200, body), or (503, body with ``"status": "error"``) when the schema
        cannot be read."""
        body = self.brief()
        body["guard"] = _guard_state(self._guard) if self._guard else None
        body["flags"] = self._flags
        try:
            state = self._schema() if self._schema else None
            if state is not None:
                body["schema"] = {"current": state.current, "heads": list(state.heads)}
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer must be a 503
            body["status"] = "error"
            body["error"] = f"schema: {type(error).__name__}"
            return 503, body
        return 200, body


def _guard_state(guard: GuardState) -> dict[str, Any]:
    age, refused = guard.list_age_days, guard.last_refused_at
    return {
        "mode": guard.mode,
        "list_age_days": None if age is None else round(age, 1),
        "list_stale": guard.list_stale,
        "last_refused_at": None if refused is None else _moment(refused),
    }


def _moment(seconds: float) -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _flag_names(flags: FlagValues | None) -> dict[str, Any] | None:
    """A digest of the declared names: tells two declarations apart, and no flag's value."""
    if flags is None:
        return None
    import hashlib  # only here: it costs more than the rest of this module

    names = "\n".join(sorted(flags))
    return {
        "declared": len(flags),
        "digest": "sha256:" + hashlib.sha256(names.encode()).hexdigest(),
    }
