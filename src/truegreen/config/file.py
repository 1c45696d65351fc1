"""Where a service's configuration stands, and its TOML. Knows nothing of what the keys mean."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from truegreen.errors import ConfigError

FILE_NAME = "truegreen.toml"
# The tables that there are: who reads only one of them still sees a misspelt name of it.
TABLES = frozenset(
    {
        "checks", "ci", "config", "env", "flags", "freeze", "health", "incidents", "live",
        "migrations", "notify", "policy", "release", "scan", "service", "smoke", "stability",
    }
)  # fmt: skip


class Found(NamedTuple):
    """``file`` None: there is none, and ``data`` is empty. ``prefix``: where it stands in it."""

    data: Mapping[str, Any]
    file: Path | None
    prefix: str


def find(root: Path) -> Found:
    """The parsed configuration of the service in ``root``. Raises ConfigError."""
    own = root / FILE_NAME
    if own.is_file():
        data = _read(own)
        if not data:
            raise ConfigError(
                str(own), "", "is empty", fix='at least: [service] with name = "…"; or remove it'
            )
        return Found(data, own, "")
    project = root / "pyproject.toml"
    if project.is_file():
        section = _read(project).get("tool", {}).get("truegreen")
        if section is not None:
            return Found(section, project, "tool.truegreen")
    return Found({}, None, "")


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", "is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:  # also numbers and tables without end
        marked = text.startswith("\ufeff")
        fix = "save it as UTF-8 without a byte order mark" if marked else ""
        raise ConfigError(str(path), "", f"is not valid TOML: {error}", fix=fix) from error
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
