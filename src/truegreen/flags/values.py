"""The frozen values of one start of a service, each with where it came from.

A plain read is a dict's. While something is pinned (see ``pins``) every FlagValues of the process
is a PinnedValues, whose reads ask the running context first. No parsing, no declarations.
"""

from __future__ import annotations

from truegreen.flags.grammar import FlagError, FlagProblem, printable
from truegreen.flags.pins import PINNED, adopt
from truegreen.frozen import Frozen
from truegreen.secret import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, Mapping, ValuesView
    from typing import NoReturn

    from truegreen.flags.grammar import Value


class Origin(Frozen):
    """Where a flag's value came from.

    ``source``: ``pin`` (fixed by a test or the caller; nothing else was asked), ``config`` (the
    caller's explicit configuration), ``env`` (the environment), ``file`` (the file of flags) or
    ``default``. ``present``: somebody gave a value, so *off* with ``present`` is a decision and
    *off* without it only the default. ``raw``: the text that was given; None where there is none.
    ``default``: the declared one. ``problem``: why a value that was given does not hold (only for
    flags that fail open; ``source`` is then ``default`` and ``present`` True), else empty.
    """

    __slots__ = ("source", "present", "raw", "default", "problem")  # noqa: RUF023
    source: str
    present: bool
    raw: str | None
    default: Value | None
    problem: str

    def __init__(
        self,
        source: str,
        present: bool,
        raw: str | None,
        default: Value | None = None,
        problem: str = "",
    ) -> None:
        self._fill(source, present, raw, default, problem)

    def __repr__(self) -> str:
        """Without the texts: which flags are secret is not known here."""
        told = f", problem={self.problem!r}" if self.problem else ""
        return f"Origin(source={self.source!r}, present={self.present}{told})"


class FlagValues(dict[str, "Value"]):
    """Flag values, read once and then fixed: a flag is constant for the life of a process.

    To change one is to start the service again (on Heroku a changed config var does that). Reads
    like a dict, as fast as one. A flag that was never declared is an error even with ``get``: a
    typo must not read as off.
    """

    __slots__ = ("__weakref__", "_origins", "_plain", "_veiled")

    def __init__(
        self,
        values: Mapping[str, Value],
        origins: Mapping[str, Origin],
        veiled: frozenset[str] = frozenset(),
    ) -> None:
        """``veiled``: names whose values are never shown."""
        super().__init__(values)
        self._plain = dict(values)
        self._origins = dict(origins)
        self._veiled = veiled
        adopt(self)

    def origin(self, name: str) -> Origin:
        """Where the value of ``name`` came from. Raises FlagError when it is not declared."""
        found = self._origins.get(name)
        if found is None:
            self.__missing__(name)
        if name in PINNED.get():
            return Origin("pin", True, None, found.default)
        return found

    def __missing__(self, name: str) -> NoReturn:
        raise FlagError(
            [FlagProblem(str(name), "", "is not a declared flag", f"declare it in [flags.{name}]")]
        )

    def get(self, key: str, default: object = None) -> Value:  # dict's
        """The value of a declared flag. ``default`` is never used: see the class."""
        return self[key]

    def shown(self, name: str) -> str:
        """The value for people and logs; ``[redacted]`` for a flag that is declared secret."""
        return REDACTED if name in self._veiled else shown(self[name])

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={self.shown(name)} ({self._told(name)})" for name in self)
        return f"FlagValues({told})"

    def _told(self, name: str) -> str:
        origin = self.origin(name)
        if not origin.present:
            return "absent, default"
        return f"{origin.source}, unparseable" if origin.problem else origin.source

    def show_pins(self, active: bool) -> None:
        """For ``pins`` alone: whether reads ask the running context."""
        self.__class__ = PinnedValues if active else FlagValues

    def _frozen(self, *_args: object, **_named: object) -> NoReturn:
        raise TypeError("flag values are constant for a process: use truegreen.flags.pin in tests")

    __setitem__ = __delitem__ = __ior__ = _frozen
    clear = pop = popitem = setdefault = update = _frozen

    def __reduce__(
        self,
    ) -> tuple[type[FlagValues], tuple[dict[str, Value], dict[str, Origin], frozenset[str]]]:
        return FlagValues, (self._plain, self._origins, self._veiled)


class PinnedValues(FlagValues):
    """What every FlagValues is while a pin is active somewhere in the process."""

    __slots__ = ()

    def __getitem__(self, name: str, _pinned=PINNED.get) -> Value:  # type: ignore[no-untyped-def]
        try:
            value = self._plain[name]
        except KeyError:
            self.__missing__(name)
        pins = _pinned()
        return pins[name] if name in pins else value  # noqa: SIM401  # .get: 20 ns more

    def __iter__(self) -> Iterator[str]:  # overridden: makes dict(…) go by keys and __getitem__
        return iter(self._plain)

    def items(self) -> ItemsView[str, Value]:  # type: ignore[override]
        return {name: self[name] for name in self}.items()

    def values(self) -> ValuesView[Value]:  # type: ignore[override]
        return {name: self[name] for name in self}.values()


def shown(value: Value) -> str:
    """A value for people, on one line: ``on``/``off`` for booleans, a URL without its user and
    password."""
    value = anonymous(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return printable(",".join(value))
    if isinstance(value, str) and REDACTED not in value:
        return repr(value)
    return printable(str(value))


def anonymous(value: Value) -> Value:
    """``value`` without the user and password of the URLs in it."""
    if isinstance(value, tuple):
        return tuple(_nobodys(one) for one in value)
    return _nobodys(value) if isinstance(value, str) else value


def _nobodys(text: str) -> str:
    if "://" not in text or "@" not in text:
        return text
    return f"{text.partition('://')[0]}://{REDACTED}@{text.rpartition('@')[2]}"
