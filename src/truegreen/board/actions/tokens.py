"""Who may act: names, each with a secret of its own. Knows no request."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence

from truegreen.errors import UsageError
from truegreen.secret import FORMS, Secret, resolve, withhold

LEAST = 20  # characters of a token
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


class Tokens:
    """``who`` says whose a token is. It takes as long for a wrong one as for a right one."""

    def __init__(self, by_name: Mapping[str, Secret]) -> None:
        self._by_name = dict(by_name)

    @classmethod
    def of(cls, named: Sequence[str]) -> Tokens:
        """From ``NAME=REFERENCE`` each. What a reference to the environment names is taken out of
        it, so that no process that is started gets a token. Raises UsageError."""
        found: dict[str, Secret] = {}
        for one in named:
            name, given, reference = one.partition("=")
            if not given or not _NAME.match(name):
                raise UsageError(
                    "--actions is not NAME=REFERENCE", hint=f"kim=env:KIMS_TOKEN; {FORMS}"
                )
            if name in found:
                raise UsageError(f"--actions names {name} twice")
            secret = resolve(reference, what=f"--actions {name}")
            if len(secret.reveal()) < LEAST:
                raise UsageError(
                    f"--actions {name}: a token has at least {LEAST} characters",
                    hint="python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one",
                )
            if secret in found.values():
                raise UsageError(f"--actions {name}: somebody else has the same token")
            found[name] = secret
        for one in named:
            reference = one.partition("=")[2]
            if reference.startswith("env:"):
                withhold([reference.removeprefix("env:")])
        return cls(found)

    def who(self, token: str) -> str | None:
        """Whose it is, or None."""
        given = token.encode("utf-8", "surrogatepass")
        found = None
        for name, secret in self._by_name.items():
            if hmac.compare_digest(given, secret.reveal().encode()):
                found = name
        return found
