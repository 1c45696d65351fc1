"""Sends letters: a signed webhook, and Apprise. The only module here that talks to anybody.

All of it ends within the time that it is given, whatever the other side does: each letter has a
thread of its own, and nobody waits for one that hangs.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from truegreen.config.notify import Notify
from truegreen.errors import TrueGreenError
from truegreen.notify.message import text, title
from truegreen.notify.outbox import Letter, Outbox
from truegreen.notify.signature import HEADER, sign
from truegreen.secret import Secret, resolve

if TYPE_CHECKING:
    import httpx

FIRST_PAUSE = 0.5  # seconds; each pause is twice the one before
LATE = "did not answer in time; it may have arrived"
_AGAIN = frozenset({408, 425, 429})


class _Final(Exception):
    """Trying again would not help."""


class _Again(Exception):
    """It may help to try again."""


@dataclass(frozen=True, slots=True)
class Means:
    """What sending needs of the world; tests bring their own."""

    transport: httpx.BaseTransport | None = None
    apprise: Callable[[str, str, str, float], bool] | None = None  # url, title, text, seconds
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


REAL = Means()


def places(settings: Notify) -> tuple[str, ...]:
    """Who is told, by name."""
    apprise = tuple(f"apprise-{number}" for number in range(1, len(settings.apprise) + 1))
    return (*(("webhook",) if settings.webhook else ()), *apprise)


def deliver(
    letters: Sequence[Letter], settings: Notify, outbox: Outbox, means: Means = REAL
) -> list[Letter]:
    """Sends ``letters`` at once, and gives them back with what became of each: ``why`` is "" for
    one that was taken, which is in the outbox no more. Ends within ``settings.timeout`` seconds.
    """
    deadline = time.monotonic() + settings.timeout
    became: dict[str, Letter] = {}
    lock = threading.Lock()
    over = threading.Event()

    def send(letter: Letter) -> None:
        done = replace(letter, why=_sent(letter, settings, deadline, means))
        with lock:
            if over.is_set() and done.why:
                return
            became[letter.name] = done
            # What cannot be written stands there as it was put, which is to be sent again.
            with suppress(OSError, TrueGreenError):
                if done.why:
                    outbox.keep(done)
                else:
                    outbox.drop(done)

    threads = [
        threading.Thread(target=send, args=(one,), name="notify", daemon=True) for one in letters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    with lock:
        over.set()
        found = [became.get(one.name) or replace(one, why=LATE) for one in letters]
        for one in found:
            if one.why == LATE:
                with suppress(OSError, TrueGreenError):
                    outbox.keep(one)
    return found


def _sent(letter: Letter, settings: Notify, deadline: float, means: Means) -> str:
    """Why it was not taken, "" when it was. No address and no key is in the text."""
    pause, why = FIRST_PAUSE, ""
    for attempt in range(settings.attempts):
        if attempt:
            if time.monotonic() + pause >= deadline:
                return why
            means.sleep(pause)
            pause *= 2
        try:
            _once(letter, settings, max(0.1, deadline - time.monotonic()), means)
        except _Again as error:
            why = str(error)
        except _Final as error:
            return str(error)
        except TrueGreenError as error:  # a reference that leads nowhere
            return error.message
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no verdict
            return f"could not be sent: {type(error).__name__}"
        else:
            return ""
    return why


def _once(letter: Letter, settings: Notify, seconds: float, means: Means) -> None:
    if letter.place == "webhook":
        if not settings.webhook:
            raise _Final("there is no webhook in [notify] any more")
        key = resolve(settings.secret, what="notify.secret")
        _post(_address(settings.webhook), letter.message, key, seconds, means)
        return
    number = int(letter.place.removeprefix("apprise-"))
    if number > len(settings.apprise):
        raise _Final(f"there is no {letter.place} in [notify] any more")
    url = resolve(settings.apprise[number - 1], what=f"notify.apprise[{number - 1}]").reveal()
    send = means.apprise or _by_apprise
    if not send(url, title(letter.message), text(letter.message), seconds):
        raise _Again("Apprise did not deliver it")


def _address(webhook: str) -> str:
    if webhook.startswith(("https://", "http://")):
        return webhook
    address = resolve(webhook, what="notify.webhook").reveal()
    if not address.startswith("https://"):
        raise _Final("the webhook's reference leads to no https:// address")
    return address


def _post(address: str, told: Mapping[str, Any], key: Secret, seconds: float, means: Means) -> None:
    from truegreen.light_httpx import httpx

    body = json.dumps(told, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "truegreen",
        "Idempotency-Key": str(told["id"]),
        HEADER: sign(body, key, int(means.now())),
    }
    try:
        with (
            httpx.Client(transport=means.transport, timeout=seconds, trust_env=False) as client,
            client.stream("POST", address, content=body, headers=headers) as answer,
        ):
            status = answer.status_code
    except httpx.TransportError as error:
        raise _Again(f"no answer: {type(error).__name__}") from error
    if status >= 500 or status in _AGAIN:
        raise _Again(f"answered {status}")
    if not 200 <= status < 300:
        raise _Final(f"answered {status}")


def _by_apprise(url: str, heading: str, body: str, seconds: float) -> bool:
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise _Final("Apprise is not installed: pip install 'truegreen[notify]'") from error
    log = logging.getLogger("apprise")  # it names addresses
    log.addHandler(logging.NullHandler())
    log.propagate = False
    sender = apprise.Apprise()
    if not sender.add(url):
        raise _Final("the reference leads to no address that Apprise knows")
    return bool(sender.notify(body=body, title=heading, timeout=seconds))
