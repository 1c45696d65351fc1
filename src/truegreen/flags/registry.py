"""The registry of declared flags: reads their values, once, from every source.

``Flags`` knows the declarations and the order of the sources: pin, explicit config, environment,
file, default. Parsing is ``grammar``'s, the values are ``values``'.
"""

from __future__ import annotations

from types import MappingProxyType

from truegreen.errors import ConfigError
from truegreen.flags.grammar import (
    FlagError,
    FlagProblem,
    Unparseable,
    parse,
    spelt,
    take,
    undeclared,
    veiled,
)
from truegreen.flags.pins import PINNED, declare
from truegreen.flags.values import FlagValues, Origin
from truegreen.secret import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from truegreen.config import FlagDeclaration
    from truegreen.config import Flags as FlagsSection
    from truegreen.flags.grammar import Value

_TEXTUAL = ("duration", "list", "url")
_NOTHING: Mapping[str, Value] = MappingProxyType({})


class Flags:
    """The declared flags of a service. Any other variable with ``prefix`` is refused.

    With an empty prefix nothing can be told apart as undeclared, and nothing is refused as such.
    ``file``: a TOML file of ``NAME = value``, the source after the environment; None for none.
    Raises FlagError when a declared default does not fit its flag.
    """

    def __init__(
        self, prefix: str, declared: Mapping[str, FlagDeclaration], file: Path | None = None
    ) -> None:
        self.prefix = prefix
        self.declared = MappingProxyType(dict(declared))
        self.file = file
        self._veiled = frozenset(name for name, flag in declared.items() if flag.secret)
        self._defaults: dict[str, Value] = {}
        problems: list[FlagProblem] = []
        for name, flag in declared.items():
            try:
                self._defaults[name] = take(flag.type, flag.default, flag.choices)
            except Unparseable as error:
                what = f"its default: {error.args[0]}"
                problems.append(FlagProblem(name, "", what, f"in [flags.{name}]: {error.args[1]}"))
        if problems:
            raise FlagError(problems)
        for name, flag in declared.items():
            declare(name, flag.type, flag.choices)

    @classmethod
    def from_config(cls, section: FlagsSection) -> Flags:
        """From the ``[flags]`` of a configuration that is already loaded."""
        return cls(section.prefix, section.declared, section.file)

    @classmethod
    def load(cls, root: str | Path) -> Flags:
        """From the configuration in ``root``, the service's folder. Raises ConfigError, also where
        there is none (in another folder no flag would be declared, and be missed at a read), or
        FlagError."""
        # Only here, so that importing the flags stays cheap for a service that hands them in.
        from pathlib import Path

        from truegreen.config import load_config

        config = load_config(Path(root))
        if config.file is None:
            raise ConfigError(
                str(config.root),
                "",
                "has no truegreen.toml, where flags are declared",
                fix="give the service's folder, e.g. Flags.load(Path(__file__).parent)",
            )
        return cls.from_config(config.flags)

    def read(
        self,
        environ: Mapping[str, str],
        *,
        config: Mapping[str, Value] = _NOTHING,
        overrides: Mapping[str, Value] = _NOTHING,
    ) -> FlagValues:
        """The values under ``environ``, constant from now on. Call it once, at start.

        ``config``: the caller's explicit configuration, by flag, in Python values. ``overrides``:
        pins, as if ``pin(…)`` were active. What outranks the environment keeps it from being looked
        up at all, not even to check it. Raises FlagError naming every value that is unparseable or
        of the wrong type, and every name that is undeclared; only a flag that is declared
        ``fail = "open"`` goes on with its default when its text cannot be parsed.
        """
        values, origins, refused, _ = self._resolve(environ, config, overrides)
        if refused:
            raise FlagError(refused)
        return FlagValues(values, origins, self._veiled)

    def default(self, name: str) -> Value:
        """The declared default of ``name``. KeyError when it is not declared."""
        return self._defaults[name]

    def problems(self, environ: Mapping[str, str]) -> tuple[FlagProblem, ...]:
        """Everything wrong in ``environ`` (and the file), also of flags that fail open."""
        _, _, refused, tolerated = self._resolve(environ, _NOTHING, _NOTHING)
        return (*refused, *tolerated)

    def survey(
        self, environ: Mapping[str, str]
    ) -> tuple[FlagValues, tuple[FlagProblem, ...], tuple[FlagProblem, ...]]:
        """The values that would hold, the problems that stop a start, those that do not.

        For explaining alone: a flag that cannot be read has its default here.
        """
        values, origins, refused, tolerated = self._resolve(environ, _NOTHING, _NOTHING)
        return FlagValues(values, origins, self._veiled), tuple(refused), tuple(tolerated)

    def _resolve(
        self,
        environ: Mapping[str, str],
        config: Mapping[str, Value],
        overrides: Mapping[str, Value],
    ) -> tuple[dict[str, Value], dict[str, Origin], list[FlagProblem], list[FlagProblem]]:
        pins = {
            name: value
            for name, value in PINNED.get().items()
            if name in self.declared or (self.prefix and name.startswith(self.prefix))
        }
        pins.update(overrides)
        given, refused = self._from_file()
        refused += self._undeclared_in(environ, {*pins, *config})
        for source, named in (("pinned", pins), ("configured", config), ("in the file", given)):
            refused += [
                FlagProblem(
                    name, veiled(spelt(value)), f"is {source} and not declared", _declare(name)
                )
                for name, value in named.items()
                if name not in self.declared
            ]
        tolerated: list[FlagProblem] = []
        values: dict[str, Value] = {}
        origins: dict[str, Origin] = {}
        for name, flag in self.declared.items():
            default = self._defaults[name]
            raw: str | None = None
            value: object
            if name in pins:
                source, value = "pin", pins[name]
            elif name in config:
                source, value = "config", config[name]
            elif (raw := environ.get(name)) is not None:
                source, value = "env", raw
            elif name in given:
                source, value, raw = "file", given[name], spelt(given[name])
            else:
                values[name], origins[name] = default, Origin("default", False, None, default)
                continue
            try:
                values[name] = _value(flag, source, value)
                origins[name] = Origin(source, True, raw, default)
            except Unparseable as error:
                problem = self._problem(flag, source, raw, *error.args)
                # Code that hands in a wrong type is wrong; only a machine's text may be let pass.
                lenient = flag.fail == "open" and source in ("env", "file")
                (tolerated if lenient else refused).append(problem)
                values[name] = default
                origins[name] = Origin("default", True, raw, default, problem.problem)
        return values, origins, refused, tolerated

    def _problem(
        self, flag: FlagDeclaration, source: str, raw: str | None, what: str, fix: str
    ) -> FlagProblem:
        """Of a value that does not fit; a secret's is not in it."""
        shown = veiled(raw or "")
        if flag.secret:
            shown, what = REDACTED, f"what it holds is no {flag.type}"
        before = {"pin": "is pinned: ", "config": "is configured: "}.get(source, "")
        return FlagProblem(flag.name, shown, before + what, fix)

    def _undeclared_in(self, environ: Mapping[str, str], settled: set[str]) -> list[FlagProblem]:
        if not self.prefix:
            return []
        return [
            undeclared(name, environ[name], self.prefix, self.declared)
            for name in sorted(environ)
            if name.startswith(self.prefix) and name not in self.declared and name not in settled
        ]

    def _from_file(self) -> tuple[Mapping[str, Value], list[FlagProblem]]:
        """The file's values by name, as TOML has them."""
        if self.file is None:
            return _NOTHING, []
        import tomllib  # only here: most services have no such file

        text = ""
        try:
            text = self.file.read_text(encoding="utf-8")
            return tomllib.loads(text), []
        # TOMLDecodeError and UnicodeDecodeError are ValueErrors; tables in tables recurse
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            fix = "mend it, or [flags] file"
            if text.startswith("\ufeff"):
                fix = "save it as UTF-8 without a byte order mark"
            return _NOTHING, [FlagProblem(str(self.file), "", f"cannot be read: {why}", fix)]


def _value(flag: FlagDeclaration, source: str, value: object) -> Value:
    """By the grammar what is text: the environment's, and of a file what TOML has no type for."""
    textual = source == "env" or (source == "file" and flag.type in _TEXTUAL)
    if textual and isinstance(value, str):
        return parse(flag.type, value, flag.choices)
    return take(flag.type, value, flag.choices)


def _declare(name: str) -> str:
    return f"declare it in [flags.{name}]"
