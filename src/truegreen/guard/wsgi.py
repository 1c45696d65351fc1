"""The guard around a WSGI application: outermost, before anything of the application runs.

Knows WSGI's environ and nothing of frameworks. What is let in is ``policy``'s decision.
"""

from __future__ import annotations

from truegreen.guard import reasons
from truegreen.guard.admission import Admission
from truegreen.guard.client import CLIENT, in_environ
from truegreen.guard.judge import judge, unlike
from truegreen.guard.policy import ASSERTION, CONNECTING_IP, FORWARDED, WORKER, GuardPolicy
from truegreen.headers import environ_key

TYPE_CHECKING = False  # as in truegreen.frozen: typing would be half of what a dyno imports
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

REFUSAL = b'{"error": "direct_origin_blocked"}'
REFUSAL_HEADERS = (
    ("Content-Type", "application/json"),
    ("Content-Length", str(len(REFUSAL))),
    ("Cache-Control", "no-store"),
)


class OriginGuard:
    """WSGI middleware: asks ``policy``, answers 403 or calls ``app``, strips the secret header.

    ``client.client_address(environ)`` gives the visitor's address of a request that passed.

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
    rules, tally = policy.rules, policy.tally
    same, clock, short = rules.same, rules.clock, Admission(rules, raw=False)
    first, second, anywhere = short.first, short.second, short.anywhere
    stale_at, known, in_place = short.stale_at, short.known, short.in_place
    observed, admissions = tally.observe is not None, tally.counters[reasons.ADMITTED]
    secret_key = environ_key(policy.header)
    address_key = environ_key(FORWARDED) if policy.reads_forwarded else "REMOTE_ADDR"
    named = in_environ(policy.client_header)
    usable = short.usable and policy.edge_names
    judged, headers = _judged(policy), list(REFUSAL_HEADERS)

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        secret = environ.pop(secret_key, None)
        address = environ.get(address_key)
        accepted = None  # whether the secret is; None: not compared yet
        try:
            admitted = (
                usable
                and secret is not None
                and (accepted := same(secret, first) if second is None
                     else same(secret, first) | same(secret, second))
                and (anywhere or (
                    address and "\n" not in address and clock() < stale_at
                    and (address.rpartition(",")[2] in known or in_place(address))
                ))
            )  # fmt: skip
        except TypeError:  # text beyond ASCII cannot be compared as it is
            admitted = False
        if admitted:
            secret = None  # a crash reporter sends what this frame knows
            environ[CLIENT] = named
            next(admissions)
            if observed:
                tally.told(reasons.ADMITTED, True)
            return app(environ, start_response)
        if judged(environ, secret, address, accepted):
            secret = None
            return app(environ, start_response)
        start_response("403 Forbidden", headers.copy())
        return [b""] if environ.get("REQUEST_METHOD") == "HEAD" else [REFUSAL]

    return guarded


def _judged(
    policy: GuardPolicy,
) -> Callable[[WSGIEnvironment, str | None, str | None, bool | None], bool]:
    """The long way: whether a request is let in, counted. A secret is not compared twice."""
    rules = policy.rules
    client_key = environ_key(policy.client_header or CONNECTING_IP)
    worker_key, token_key = environ_key(WORKER), environ_key(ASSERTION)
    named = in_environ(policy.client_header)
    further = not rules.checks <= {"secret", "ranges"}

    def judged(
        environ: WSGIEnvironment, secret: str | None, address: str | None, accepted: bool | None
    ) -> bool:
        get = environ.get
        if accepted is False:
            reason = unlike(secret)
        elif further:
            reason = judge(rules, secret, address, get(client_key), get(worker_key), get(token_key))
        else:
            reason = judge(rules, secret, address, None)
        path = get("PATH_INFO", "")
        if script := get("SCRIPT_NAME"):  # exempt is what is exempt as a whole
            # gunicorn cuts what a header SCRIPT_NAME says off the path, when it trusts the peer
            # (under Heroku's FORWARDED_ALLOW_IPS=* everybody): then /health may serve the root.
            path = ("" if "HTTP_SCRIPT_NAME" not in environ else "SCRIPT_NAME: ") + script + path
        if not policy.conclude(reason, path, address):
            return False
        if reason is reasons.ADMITTED and policy.believes:
            environ[CLIENT] = named if policy.edge_names else policy.reached_by(address)
        return True

    return judged
