"""The registry of declared flags, and the frozen values that one start of a service reads.

``Flags`` knows the declarations, ``FlagValues`` what they came to and from where. Parsing is
``grammar``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from truegreen.flags.grammar import FlagError, FlagProblem, Unparseable, fits, parse, undeclared

if TYPE_CHECKING:
    from pathlib import Path

    from truegreen.config import FlagDeclaration
    from truegreen.config import Flags as FlagsSection

Value = bool | int | str
_NOTHING: Mapping[str, Value] = MappingProxyType({})


class Origin(NamedTuple):
    """Where a flag's value came from.

    ``source``: ``env`` (set in the environment), ``default`` (absent from it) or ``pin`` (fixed by
    the caller; the environment was not asked). ``present``: somebody gave a value, so ``off`` with
    ``present`` is a decision and ``off`` without it is only the default. ``raw``: the text in the
    environment; None for ``default`` and ``pin``.
    """

    source: str
    present: bool
    raw: str | None


class FlagValues(dict[str, Value]):
    """Flag values, read once and then fixed. Reads like a dict, as fast as one.

    A flag that was never declared is an error even with ``get``: a typo must not read as off.
    """

    __slots__ = ("_origins",)

    def __init__(self, values: Mapping[str, Value], origins: Mapping[str, Origin]) -> None:
        super().__init__(values)
        self._origins = dict(origins)

    def origin(self, name: str) -> Origin:
        """Where the value of ``name`` came from. Raises FlagError when it is not declared."""
        found = self._origins.get(name)
        if found is None:
            self.__missing__(name)
        return found

    def __missing__(self, name: str) -> NoReturn:
        raise FlagError(
            [FlagProblem(str(name), "", "is not a declared flag", f"declare it in [flags.{name}]")]
        )

    def get(self, key: str, default: object = None) -> Value:  # dict's
        """The value of a declared flag. ``default`` is never used: see the class."""
        return self[key]

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value!r} ({self._origins[name].source})" for name, value in self.items()
        )
        return f"FlagValues({shown})"

    def _frozen(self, *_args: object, **_named: object) -> NoReturn:
        raise TypeError("flag values are fixed once read: pin with read(…, overrides=…) instead")

    __setitem__ = __delitem__ = __ior__ = _frozen
    clear = pop = popitem = setdefault = update = _frozen

    def __copy__(self) -> FlagValues:
        return self

    def __deepcopy__(self, memo: object) -> FlagValues:
        return self

    def __reduce__(self) -> tuple[type[FlagValues], tuple[dict[str, Value], dict[str, Origin]]]:
        return FlagValues, (dict(self), self._origins)


class Flags:
    """The declared flags of a service. Any other variable with ``prefix`` is refused.

    With an empty prefix nothing can be told apart as undeclared, and nothing is refused as such.
    """

    def __init__(self, prefix: str, declared: Mapping[str, FlagDeclaration]) -> None:
        self.prefix = prefix
        self.declared = MappingProxyType(dict(declared))

    @classmethod
    def from_config(cls, section: FlagsSection) -> Flags:
        """From the ``[flags]`` of a configuration that is already loaded."""
        return cls(section.prefix, section.declared)

    @classmethod
    def load(cls, root: str | Path) -> Flags:
        """From the configuration in the service's root. Raises ConfigError."""
        # Only here, so that importing the flags stays cheap for a service that hands them in.
        from pathlib import Path

        from truegreen.config import load_config

        return cls.from_config(load_config(Path(root)).flags)

    def read(
        self, environ: Mapping[str, str], *, overrides: Mapping[str, Value] = _NOTHING
    ) -> FlagValues:
        """The values under ``environ``; ``overrides`` pins some of them.

        A pinned flag is never looked up in ``environ``, not even to check it. Raises FlagError
        naming every variable that is unparseable, undeclared, or pinned to the wrong type.
        """
        values: dict[str, Value] = {}
        origins: dict[str, Origin] = {}
        problems = self._undeclared(environ, overrides)
        for name, value in overrides.items():
            problem = self._pin_problem(name, value)
            if problem:
                problems.append(problem)
        for name, flag in self.declared.items():
            if name in overrides:
                values[name], origins[name] = overrides[name], Origin("pin", True, None)
                continue
            raw = environ.get(name)
            if raw is None:
                values[name], origins[name] = flag.default, Origin("default", False, None)
                continue
            try:
                values[name] = parse(flag.type, raw, flag.choices)
            except Unparseable as error:
                problems.append(FlagProblem(name, raw[:60], *error.args))
            origins[name] = Origin("env", True, raw)
        if problems:
            raise FlagError(problems)
        return FlagValues(values, origins)

    def problems(self, environ: Mapping[str, str]) -> tuple[FlagProblem, ...]:
        """Everything in ``environ`` that ``read`` would refuse; empty when there is nothing."""
        try:
            self.read(environ)
        except FlagError as error:
            return error.problems
        return ()

    def _undeclared(
        self, environ: Mapping[str, str], overrides: Mapping[str, Value]
    ) -> list[FlagProblem]:
        if not self.prefix:
            return []
        return [
            undeclared(name, environ[name], self.prefix, self.declared)
            for name in sorted(environ)
            if name.startswith(self.prefix) and name not in self.declared and name not in overrides
        ]

    def _pin_problem(self, name: str, value: Value) -> FlagProblem | None:
        flag = self.declared.get(name)
        if flag is None:
            return FlagProblem(
                name,
                repr(value)[:60],
                "is pinned and not declared",
                f"declare it in [flags.{name}]",
            )
        if fits(flag.type, value, flag.choices):
            return None
        return FlagProblem(
            name,
            repr(value)[:60],
            f"is pinned to {repr(value)[:60]}, which is no {flag.type}",
            "pin it to one of " + ", ".join(flag.choices) if flag.choices else f"a {flag.type}",
        )
