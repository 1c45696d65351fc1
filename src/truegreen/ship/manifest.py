"""``app.json``: what an app wants when it is made (config vars, add-ons, formation). Pure parsing.

Format: https://devcenter.heroku.com/articles/app-json-schema
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from truegreen.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Manifest:
    """``env`` maps a name to its value; None means: to be generated as a secret."""

    env: Mapping[str, str | None]
    addons: tuple[str, ...]
    formation: Mapping[str, int]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the service in ``folder``; an empty one without the file. ConfigError."""
    path = folder / "app.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Manifest(MappingProxyType({}), (), MappingProxyType({}))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"cannot be read: {error}") from error
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ConfigError(str(path), "", f"is not valid JSON: {error}") from error
    return parse_manifest(data, file=str(path))


def parse_manifest(data: Any, *, file: str) -> Manifest:
    """A Manifest out of parsed JSON; keys that do not concern us are left to Heroku."""
    if not isinstance(data, dict):
        raise ConfigError(file, "", "is not a JSON object")
    env = _object(data, "env", file)
    formation = _object(data, "formation", file)
    addons = data.get("addons", [])
    if not isinstance(addons, list):
        raise ConfigError(file, "addons", "is not a list")
    return Manifest(
        env=MappingProxyType(
            {
                name: value
                for name, spec in env.items()
                for known, value in [_variable(name, spec, file)]
                if known
            }
        ),
        addons=tuple(_addon(item, file) for item in addons),
        formation=MappingProxyType({k: _quantity(k, v, file) for k, v in formation.items()}),
    )


def values(
    manifest: Manifest, *, generate: Callable[[], str] = lambda: secrets.token_hex(32)
) -> dict[str, str]:
    """The config vars that the manifest asks for, secrets generated."""
    return {name: generate() if v is None else v for name, v in manifest.env.items()}


def _object(data: dict[str, Any], key: str, file: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(file, key, "is not an object")
    return value


def _variable(name: str, spec: Any, file: str) -> tuple[bool, str | None]:
    """(is it to be set, its value or None for a secret)."""
    if isinstance(spec, str):
        return True, spec
    if not isinstance(spec, dict):
        raise ConfigError(file, f"env.{name}", f"{spec!r} is neither a string nor an object")
    if spec.get("generator") == "secret":
        return True, None
    if "value" in spec:
        if not isinstance(spec["value"], str):
            raise ConfigError(file, f"env.{name}.value", "is not a string", fix='write "1", not 1')
        return True, spec["value"]
    return False, ""


def _addon(item: Any, file: str) -> str:
    plan = item.get("plan") if isinstance(item, dict) else item
    if not isinstance(plan, str) or not plan:
        raise ConfigError(file, "addons", f"{item!r} names no plan")
    return plan


def _quantity(kind: str, item: Any, file: str) -> int:
    quantity = item.get("quantity", 1) if isinstance(item, dict) else item
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
        raise ConfigError(file, f"formation.{kind}.quantity", f"{quantity!r} is not a count")
    return quantity
