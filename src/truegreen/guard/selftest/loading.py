"""Imports the application that a selftest is about: ``module:app`` or ``module:factory()``."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from truegreen.errors import TrueGreenError, Unverified, UsageError

Interface = Literal["wsgi", "asgi"]


def load_app(name: str, folder: Path) -> Callable[..., Any]:
    """The application called ``name``, with ``folder`` first on the path, as servers do it.

    Raises UsageError when there is no such thing, Unverified when it does not start.
    """
    module_name, colon, attribute = name.partition(":")
    called = attribute.endswith("()")
    attribute = attribute.removesuffix("()")
    parts = (*module_name.split("."), *attribute.split("."))
    if not colon or not all(part.isidentifier() for part in parts):
        raise UsageError(f"{name!r} is no application", hint="write module:app or module:factory()")
    sys.path.insert(0, str(folder.resolve()))
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name + ".").startswith(error.name + "."):
            raise UsageError(
                f"there is no module {module_name} in {folder}",
                hint="a module without .py, or another --dir",
            ) from error
        raise _did_not_start(name, error) from error
    except (Exception, SystemExit) as error:
        raise _did_not_start(name, error) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{name}: there is no {part} in {module_name}")
        found = getattr(found, part)
    if called:
        if asks := _asked_for(found):
            raise UsageError(
                f"{name}: {attribute} needs arguments: {asks}",
                hint="name a function that needs none and calls it with yours",
            )
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise _did_not_start(name, error) from error
    if not callable(found):
        raise UsageError(f"{name} cannot be called: it is a {type(found).__name__}")
    application: Callable[..., Any] = found
    return application


def interface_of(app: Callable[..., Any]) -> Interface:
    """``asgi`` when it takes three arguments, ``wsgi`` for two. Raises UsageError otherwise."""
    try:  # of what is called: an instance may keep its __call__ in a slot
        parameters = inspect.signature(
            app if inspect.isroutine(app) else app.__call__  # type: ignore[operator]
        ).parameters.values()
    except (TypeError, ValueError) as error:
        raise UsageError(f"cannot see whether {app!r} is WSGI or ASGI") from error
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.kind in plain and p.default is inspect.Parameter.empty]
    if len(needed) == 3:
        return "asgi"
    if len(needed) == 2:
        return "wsgi"
    raise UsageError(
        f"the application takes {len(needed)} arguments: it is neither WSGI nor ASGI",
        hint="a factory is written with its parentheses: module:factory()",
    )


def _asked_for(factory: Any) -> str:
    """The arguments without which ``factory`` cannot be called, or ``""``."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # not callable, or written in C: the call will tell
        return ""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return ", ".join(
        one.name
        for one in parameters
        if one.default is inspect.Parameter.empty and one.kind not in several
    )


def _did_not_start(name: str, error: BaseException) -> Unverified:
    hint = error.hint if isinstance(error, TrueGreenError) else ""
    said = error.message if isinstance(error, TrueGreenError) else str(error)
    return Unverified(f"{name} does not start: {type(error).__name__}: {said}", hint=hint)
