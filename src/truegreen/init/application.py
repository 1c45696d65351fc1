"""Finds the WSGI or ASGI application in a service's source, without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from truegreen.doctor.service import is_test
from truegreen.doctor.tree import Tree
from truegreen.init.facts import Application

_MAKES = {"Flask": "flask", "FastAPI": "fastapi"}
_SPEAKS_OF_APP = re.compile(rb"\b(?:Flask|FastAPI)\(")
_SETTINGS = re.compile(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([A-Za-z_][\w.]*)[\"']")
# Flask itself looks for these: https://flask.palletsprojects.com/en/stable/cli/
_NAMES = ("app", "application", "create_app", "make_app")


def find_application(tree: Tree) -> Application | None:
    """The application that a server should load; None when nothing of the kind is there.

    Django's by its manage.py; else a module's ``app``, else a factory that takes no arguments. Of
    several the usual names win, then what stands nearest to the root.
    """
    django = _django(tree)
    if django is not None:
        return django
    found = list(_candidates(tree))
    return min(found, key=_rank, default=None)


def _django(tree: Tree) -> Application | None:
    for path in sorted(tree.named("manage.py"), key=lambda one: (one.count("/"), one)):
        match = _SETTINGS.search(tree.text_of(path) or "")
        if match:
            package = match[1].removesuffix(".settings").partition(".settings.")[0]
            folder = path.rpartition("/")[0]
            where = f"{folder}/" if folder else ""
            if where + package.replace(".", "/") + "/wsgi.py" in tree.paths:
                return Application("django", path, f"{package}.wsgi", "application", folder=folder)
    return None


def _candidates(tree: Tree) -> Iterator[Application]:
    for path, module in tree.python(_SPEAKS_OF_APP):
        if is_test(path):
            continue
        for node in module.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                framework = _made_by(node.value)
                if framework and isinstance(target, ast.Name):
                    yield _application(tree, framework, path, target.id)
            elif isinstance(node, ast.FunctionDef) and _callable_bare(node.args):
                made = (_made_by(one) for one in ast.walk(node) if isinstance(one, ast.Call))
                framework = next((one for one in made if one), "")
                if framework:
                    yield _application(tree, framework, path, node.name, factory=True)


def _application(
    tree: Tree, framework: str, path: str, name: str, *, factory: bool = False
) -> Application:
    parts = path.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    folder = ""
    if parts[:1] == ["src"] and "src/__init__.py" not in tree.paths:
        folder = parts.pop(0)
    return Application(framework, path, ".".join(parts), name, factory, folder)


def _rank(one: Application) -> tuple[bool, int, int, str]:
    name = _NAMES.index(one.name) if one.name in _NAMES else len(_NAMES)
    return (one.factory, name, one.file.count("/"), one.file)


def _made_by(node: ast.expr) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return _MAKES.get(name, "")


def _callable_bare(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    keywords = [one for one in arguments.kw_defaults if one is None]
    return positional == len(arguments.defaults) and not keywords
