"""The one type that holds a secret: it shows itself as ``[redacted]`` everywhere.

Standard library only. Resolution of references (``env:``, ``file:``, ``vault:``) lives here too,
because a reference is what a configuration may hold in a secret's place.
"""

from __future__ import annotations

import os

from truegreen.errors import UsageError

TYPE_CHECKING = False  # typing itself would take 5 ms of every process that has a flag
if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED = "[redacted]"


class Secret:
    """A string that never prints. ``reveal()`` gives it out, and is easy to search for."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def unsendable(self) -> str:
        """Why no header carries it as it is, or ``""``."""
        if self._value != self._value.strip() or not self._value.isprintable():
            return "has surrounding blanks or a control character"
        return "" if max(self._value, default="") <= "\xff" else "has characters no header carries"

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, spec: str) -> str:
        return format(REDACTED, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # only here, as pathlib below: they would be half of what a service imports

        ours, theirs = (one._value.encode("utf-8", "surrogatepass") for one in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a Secret is not pickled: hand over the reference instead")


class SecretBytes(bytes):
    """A secret for code in C to compare. Only how it shows itself is another: crash reporters send
    the ``repr`` of what each frame knows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__


class SecretText(str):
    """As SecretBytes, for text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return REDACTED


SCHEMES = ("env:", "file:", "vault:")  # what a reference may begin with
FORMS = "env:NAME, file:PATH or vault:MOUNT/PATH#FIELD"
_withheld: dict[str, Secret] = {}


def withhold(names: Iterable[str]) -> None:
    """Takes variables out of this process's environment, so that no child gets them; ``variable``
    and ``resolve`` still know them. For the start of a command line's process."""
    for name in names:
        value = os.environ.pop(name, None)
        if value is not None:
            _withheld[name] = Secret(value)


def variable(name: str) -> str:
    """A variable of the environment, withheld or not; empty when it is not set."""
    value = os.environ.get(name)
    if value is None and name in _withheld:
        return _withheld[name].reveal()
    return value or ""


def lent(name: str) -> dict[str, str]:
    """This process's environment with the variable ``name`` in it although it is withheld: for who
    hands on no variable but those that a configuration lets through by name."""
    value = variable(name)
    return {**os.environ, name: value} if value else dict(os.environ)


def resolve(reference: str, *, what: str) -> Secret:
    """The secret that ``reference`` points to.

    ``reference``: ``env:NAME``, ``file:PATH`` (its text, stripped) or ``vault:MOUNT/PATH#FIELD``.
    ``what`` names the thing in errors. Raises UsageError when the reference has another form or
    leads nowhere.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest:
        value = variable(rest)
        if not value:
            raise UsageError(f"{what}: the variable {rest} is not set", hint=f"export {rest}=…")
        return Secret(value)
    if scheme == "file" and rest:
        from pathlib import Path

        try:
            value = Path(rest).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{what}: cannot read {rest}: {error}") from error
        if not value:
            raise UsageError(f"{what}: {rest} is empty")
        return Secret(value)
    if scheme == "vault" and rest:
        from truegreen.vault import read_secret

        names = ("VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE")
        return Secret(read_secret(rest, {name: variable(name) for name in names}, what=what))
    raise UsageError(f"{what}: not a secret reference", hint=f"write {FORMS}, never the secret")
