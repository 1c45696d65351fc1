"""What was found in a repository. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Application:
    """Where the application stands: ``target`` as a server takes it, e.g. ``raptor:create_app``."""

    framework: str  # flask | django | fastapi
    file: str  # relative to the service's root
    module: str
    name: str
    factory: bool = False
    folder: str = ""  # to be on the import path, besides the root

    @property
    def target(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the application reads, and where."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Facts:
    """``prefix``: the service's folder inside its repository, "" for the root. ``apps``: name of
    the environment → name of the app, from the git remotes."""

    name: str
    prefix: str = ""
    application: Application | None = None
    apps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    repository: str = ""  # OWNER/REPOSITORY on GitHub
    alembic_ini: str = ""
    flask_migrate: bool = False
    manage: str = ""  # Django's manage.py
    smoke: tuple[str, ...] = ()
    health: str = ""
    required: tuple[Variable, ...] = ()
    flags: tuple[Variable, ...] = ()
    requirements: str = ""  # requirements.txt | pyproject.toml
    named: frozenset[str] = frozenset()  # what the requirements name, in lower case
    python: str = ""  # .python-version, when there is one
