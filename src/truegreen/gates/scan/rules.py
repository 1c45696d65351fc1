"""Everything that is looked for, as one value: shapes, built-in rules, vendors' rules and what
the policy switches off. Its digest keys the blob cache, and needs none of it compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from truegreen.errors import ConfigError

if TYPE_CHECKING:
    from truegreen.gates.scan.kinds.keys import Anchored
    from truegreen.gates.scan.shapes import Shape


@dataclass(frozen=True)
class RuleSet:
    """``ip`` is the policy for addresses (off, public, all), ``off`` holds kinds that are found and
    dropped, ``own`` the service's own rules. ``digest`` changes with anything that could change a
    result: the code of this package, the rule files, the policy."""

    ip: str
    off: frozenset[str]
    own: tuple[Anchored, ...]
    digest: str

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        from truegreen.gates.scan.shapes import shapes

        return shapes(self.ip)

    @cached_property
    def anchored(self) -> tuple[Anchored, ...]:
        from truegreen.gates.scan import rulefile
        from truegreen.gates.scan.kinds.keys import BUILT_IN

        return (*BUILT_IN, *rulefile.built_in(), *self.own)


def load_rules(*, ip: str = "off", off: Iterable[str] = (), files: Iterable[Path] = ()) -> RuleSet:
    """The built-in rules, those of ``files`` (in the form of ``vendors.toml``), and the policy.

    ``ip``: off, public or all. ``off``: kinds that are not reported. Raises ConfigError for a rule
    file that is not one, with file, line and key.
    """
    own: list[Anchored] = []
    texts: list[bytes] = []
    for path in files:
        from truegreen.gates.scan import rulefile

        own += rulefile.load(path)
        try:
            texts.append(path.read_bytes())
        except OSError as error:
            raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    dropped = frozenset(off)
    digest = hashlib.sha256(repr((_code_digest(), ip, sorted(dropped), texts)).encode())
    return RuleSet(ip, dropped, tuple(own), digest.hexdigest()[:32])


@cache
def _code_digest() -> str:
    """Of the files that decide what is found: a changed rule must never meet an old cache."""
    digest = hashlib.sha256()
    package = resources.files("truegreen.gates.scan")
    names = (
        "containers.py",
        "formats.py",
        "scanner.py",
        "shapes.py",
        "rules.py",
        "rulefile.py",
        "vendors.toml",
    )
    kinds = sorted((package / "kinds").iterdir(), key=lambda file: file.name)
    for file in (*(package / name for name in names), *kinds):
        if file.name.endswith((".py", ".toml")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for package_name in ("phonenumbers", "python-stdnum"):  # they judge, too
        try:
            digest.update(version(package_name).encode())
        except PackageNotFoundError:
            digest.update(b"none")
    return digest.hexdigest()
