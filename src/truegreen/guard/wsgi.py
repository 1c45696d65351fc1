"""The guard around a WSGI application: outermost, before anything of the application runs.

Knows WSGI's environ and nothing of frameworks. What is let in is ``policy``'s decision.
"""

from __future__ import annotations

from truegreen.guard import reasons
from truegreen.guard.policy import ASSERTION, CONNECTING_IP, FORWARDED, WORKER, GuardPolicy

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

REFUSAL = b'{"error": "direct_origin_blocked"}'
REFUSAL_HEADERS = (
    ("Content-Type", "application/json"),
    ("Content-Length", str(len(REFUSAL))),
    ("Cache-Control", "no-store"),
)
CLIENT = "truegreen.client"
"""The environ's key (and the ASGI scope's) with the visitor's address, when it is believed."""


class OriginGuard:
    """WSGI middleware: asks ``policy``, answers 403 or calls ``app``, strips the secret header.

    The visitor's address is put at ``environ["truegreen.client"]``, in its canonical spelling, when
    the request passed the checks and the edge named it; otherwise the key is not there.

    Raises GuardError for a policy that WSGI cannot keep: see GuardPolicy.sound_in_wsgi.
    """

    # ``__call__`` is a slot: the function in it closes over all that it needs, and calling the
    # guard costs neither a bound method nor a look at ``self``.
    __slots__ = ("__call__", "__weakref__", "app", "policy")

    def __init__(self, app: WSGIApplication, policy: GuardPolicy) -> None:
        policy.sound_in_wsgi()
        self.app = app
        self.policy = policy
        self.__call__ = _closed_over(app, policy)

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests by reason since the start of this process, a copy."""
        return self.policy.tally.counts


def _closed_over(app: WSGIApplication, policy: GuardPolicy) -> WSGIApplication:
    judge, tally = policy.judge, policy.tally
    bump, observed, logs = tally.bump, tally.observe is not None, tally.logs
    bump_admitted = bump[reasons.ADMITTED]
    admitted = reasons.ADMITTED
    secret_key = _key(policy.header)
    address_key = _key(FORWARDED) if policy.reads_forwarded else "REMOTE_ADDR"
    client_key = _key(policy.client_header or CONNECTING_IP)
    more = "worker" in policy.checks or "access" in policy.checks
    worker_key, token_key = _key(WORKER), _key(ASSERTION)
    headers = list(REFUSAL_HEADERS)

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        get = environ.get
        if more:
            reason, client = judge(
                environ.pop(secret_key, None),
                get(address_key),
                get(client_key),
                get(worker_key),
                get(token_key),
            )
        else:
            reason, client = judge(environ.pop(secret_key, None), get(address_key), get(client_key))
        if reason is admitted:
            bump_admitted()
            if observed:
                tally.told(reason, True)
            if client is not None:
                environ[CLIENT] = client
            return app(environ, start_response)
        path = get("PATH_INFO", "")
        if script := get("SCRIPT_NAME"):  # exempt is what is exempt as a whole
            path = script + path
        allowed, reason = policy.settle(reason, path)
        bump[reason]()
        if observed:
            tally.told(reason, allowed)
        if reason not in reasons.LET_IN:
            reached = policy.reached_by(get(address_key)) if logs else None
            tally.refused(reason, allowed, path, reached)
        if allowed:
            return app(environ, start_response)
        start_response("403 Forbidden", headers.copy())
        return [b""] if get("REQUEST_METHOD") == "HEAD" else [REFUSAL]

    return guarded


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")
