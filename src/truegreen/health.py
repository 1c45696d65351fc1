"""What a service says of itself: the JSON of its health endpoint. ``verify`` reads it.

Standard library only, no web framework: ``report()`` gives a status and a dict, the service sends
them with ``HEADERS``. Never a secret, a flag's value or an exception's text in it: this is public.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from truegreen.flags import FlagValues
    from truegreen.guard import GuardPolicy

# An answer kept by a cache would speak for a release that is gone.
HEADERS: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})


class SchemaState(NamedTuple):
    """``current``: the database's revision, None when it has none. ``heads``: the code's."""

    current: str | None
    heads: tuple[str, ...]


class Health:
    """Reports which code, release and schema serve, and how they are guarded.

    ``environ`` is read once, here: HEROKU_SLUG_COMMIT and HEROKU_RELEASE_VERSION, which exist only
    with Heroku's runtime-dyno-metadata feature; without them commit and release are null.
    ``schema`` is called at every report; it should bound its own time. When it raises, the report
    is a 503.
    """

    def __init__(
        self,
        service: str,
        environ: Mapping[str, str],
        schema: Callable[[], SchemaState | None] | None = None,
        guard: GuardPolicy | None = None,
        flags: FlagValues | None = None,
    ) -> None:
        self.service = service
        self.commit = environ.get("HEROKU_SLUG_COMMIT") or None
        self.release = environ.get("HEROKU_RELEASE_VERSION") or None
        self._schema = schema
        self._guard = guard
        self._flags = _flag_names(flags)

    def report(self) -> tuple[int, dict[str, Any]]:
        """(200, body), or (503, body with ``"status": "error"``) when the schema cannot be read."""
        body: dict[str, Any] = {
            "status": "ok",
            "service": self.service,
            "commit": self.commit,
            "release": self.release,
            "schema": None,
            "guard": {"mode": self._guard.mode} if self._guard else None,
            "flags": self._flags,
        }
        try:
            state = self._schema() if self._schema else None
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer must be a 503
            body["status"] = "error"
            body["error"] = f"schema: {type(error).__name__}"
            return 503, body
        if state is not None:
            body["schema"] = {"current": state.current, "heads": list(state.heads)}
        return 200, body


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
