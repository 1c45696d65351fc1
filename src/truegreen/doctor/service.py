"""Rules about the service's own code: its origin guard, its health endpoint, its flags."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from truegreen.doctor.finding import Finding
from truegreen.doctor.tree import Tree

# Headers that any client can send.
_EDGE_HEADERS = frozenset({"cf-connecting-ip", "cf-ray", "cf-ipcountry", "cf-visitor", "cdn-loop"})
_REAL_CHECKS = re.compile(rb"compare_digest|truegreen\.guard|from truegreen import guard")
_REFUSES = frozenset({"abort", "HTTPException", "PermissionDenied", "HttpResponseForbidden"})
_HEALTH = re.compile(r"^/(?:\w+/)*(?:health|healthz|healthcheck|status|livez|readyz|up)/?$")
# What a file must have for a rule to be worth parsing it.
_SPEAKS_OF_HEADER = re.compile(
    rb"[\"'](?:http_)?(?:cf[-_](?:connecting[-_]ip|ray|ipcountry|visitor)|cdn[-_]loop)[\"']",
    re.IGNORECASE,
)
_SPEAKS_OF_HEALTH = re.compile(
    rb"[\"']/(?:\w+/)*(?:health|healthz|healthcheck|status|livez|readyz|up)/?[\"']"
)
_SPEAKS_OF_FLAG = re.compile(rb"(?:environ|getenv)[^\n]*\n?[^\n]*[!=]=\s*[\"'](?:1|true|True)[\"']")
_IDENTIFIES = re.compile(
    r"commit|revision|\bsha\b|version|release|build|SLUG|GIT_|truegreen", re.IGNORECASE
)
_ROUTES = frozenset({"route", "get", "api_route", "add_url_rule"})


def header_only_guard(tree: Tree) -> Iterator[Finding]:
    """A guard that lets in whoever sends a header that anybody can send."""
    for path, module in tree.python(_SPEAKS_OF_HEADER):
        if is_test(path) or _REAL_CHECKS.search(tree.bytes_of(path) or b""):
            continue
        for function in ast.walk(module):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                line = _tests_header(function)
                if line and _refuses(function):
                    told = "refuses only requests without a header that any client can send"
                    yield Finding("header-only-guard", "error", path, line, told)


def _tests_header(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line on which an edge header is read in the function, or 0."""
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if value.lower().removeprefix("http_").replace("_", "-") in _EDGE_HEADERS:
                return node.lineno
    return 0


def _refuses(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and node.value in (401, 403):
            return True
        if isinstance(node, ast.Call) and _name(node.func) in _REFUSES:
            return True
    return False


def health_without_commit(tree: Tree) -> Iterator[Finding]:
    """A health endpoint that old code answers as well as new code."""
    for path, node, route in _health_functions(tree):
        if not _IDENTIFIES.search(_source(tree, path, node)):
            told = f"{route} does not say which commit answers: old code answers it too"
            yield Finding("health-without-commit", "warning", path, node.lineno, told)


def health_routes(tree: Tree) -> Iterator[tuple[str, int, str]]:
    """(path of the file, line, route) of each health endpoint that a decorator declares."""
    return ((path, node.lineno, route) for path, node, route in _health_functions(tree))


def _health_functions(
    tree: Tree,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for path, module in tree.python(_SPEAKS_OF_HEALTH):
        if is_test(path):
            continue
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                route = next((r for d in node.decorator_list if (r := _route(d))), "")
                if route:
                    yield path, node, route


def _route(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call) and _name(decorator.func) in _ROUTES and decorator.args:
        first = decorator.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return first.value if _HEALTH.match(first.value) else ""
    return ""


def loose_flags(tree: Tree) -> Iterator[Finding]:
    """A flag that is compared with one spelling: ``true`` reads as off, and nobody says so."""
    for path, module in tree.python(_SPEAKS_OF_FLAG):
        if is_test(path):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                variable = _environment_read(node.left)
                other = node.comparators[0]
                one = isinstance(other, ast.Constant) and other.value in ("1", "true", "True")
                if variable and one and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                    assert isinstance(other, ast.Constant)
                    told = f"{variable} is on only when it is spelled {other.value!r}"
                    yield Finding("flag-spelling", "note", path, node.lineno, told)


def _environment_read(node: ast.expr) -> str:
    """The variable's name in ``os.environ.get("X")``, ``os.getenv("X")``, ``os.environ["X"]``."""
    key: ast.expr | None = None
    if isinstance(node, ast.Call) and node.args and _name(node.func) in ("get", "getenv"):
        if _name(node.func) == "getenv" or "environ" in ast.unparse(node.func):
            key = node.args[0]
    elif isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
        key = node.slice
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value
    return ""


def _source(tree: Tree, path: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    lines = (tree.bytes_of(path) or b"").decode("utf-8", "replace").splitlines()
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_test(path: str) -> bool:
    """Whether a path is of tests, and not of the service."""
    parts = path.split("/")
    name = parts[-1]
    return "tests" in parts or name.startswith("test_") or name in ("conftest.py", "tests.py")
