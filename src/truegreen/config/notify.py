"""The table ``[notify]``: who is told when a verdict changes. Raises ConfigError."""

from __future__ import annotations

import re
from typing import NamedTuple

from truegreen.config.table import Table

_REFERENCES = ("env:", "file:", "vault:")
_FORMS = "env:NAME, file:PATH or vault:MOUNT/PATH#FIELD"
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/|\Z)")


class Notify(NamedTuple):
    """``webhook`` empty and no ``apprise``: nobody is told."""

    webhook: str = ""  # https:// address, or a reference to one
    secret: str = ""  # reference: the key of the signature
    apprise: tuple[str, ...] = ()  # references to Apprise URLs
    attempts: int = 3  # of one message to one place, in one run
    timeout: float = 10.0  # seconds that all of it may take in one run

    @property
    def references(self) -> tuple[str, ...]:
        """What has to be resolved before anybody is told."""
        named = (self.webhook, self.secret, *self.apprise)
        return tuple(one for one in named if one.startswith(_REFERENCES))


def parse_notify(table: Table) -> Notify:
    """``[notify]``."""
    base = Notify()
    result = Notify(
        webhook=table.text("webhook"),
        secret=table.text("secret"),
        apprise=table.texts("apprise"),
        attempts=table.whole("attempts", base.attempts),
        timeout=table.seconds("timeout", base.timeout),
    )
    address = result.webhook
    known = address.startswith((*_REFERENCES, "https://")) or _LOOPBACK.match(address)
    if address and not known:
        raise table.error("webhook", "is no https:// address", fix=f"https://…, or {_FORMS}")
    if address and not result.secret:
        raise table.error("secret", "is missing: who would know that it is ours?", fix=_FORMS)
    if result.secret and not result.secret.startswith(_REFERENCES):
        raise table.error("secret", "is not a reference", fix="write " + _FORMS)
    if not all(one.startswith(_REFERENCES) for one in result.apprise):
        raise table.error("apprise", "has what is not a reference", fix="write " + _FORMS)
    table.done()
    return result
