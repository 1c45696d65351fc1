"""Reads a service's files for what a first configuration has to say. Runs and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from truegreen.doctor.service import health_routes, is_test
from truegreen.doctor.tree import Tree
from truegreen.gates import requirements
from truegreen.init.application import find_application
from truegreen.init.facts import Application, Facts, Variable

_HEROKU = re.compile(
    r"(?:https://(?:[^@/]+@)?git\.heroku\.com/|(?:ssh://)?git@heroku\.com[:/])"
    r"(?P<app>[a-z][a-z0-9-]{1,28}[a-z0-9])(?:\.git)?/?\Z"
)
_GITHUB = re.compile(
    r"(?:https://(?:[^@/]+@)?github\.com/|(?:ssh://)?git@github\.com[:/])"
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?\Z"
)
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}\Z")
_REQUIRED = re.compile(r"\bos\.environ\[\s*[\"']([A-Z][A-Z0-9_]*)[\"']\s*\](?!\s*=[^=])")
_FLAG = re.compile(r"[\"'](FLAG_[A-Z0-9_]+)[\"']")
_DJANGO_HEALTH = re.compile(r"\bpath\(\s*[\"']((?:\w+/)*(?:health|healthz|healthcheck)/?)[\"']")
_OUR_HEALTH = re.compile(rb"\btruegreen\.health\b")
# What the platform or the framework's own tools set.
_NOT_CONFIG = frozenset({"PORT", "HOST", "PATH", "HOME", "DJANGO_SETTINGS_MODULE", "DYNO"})
_SMOKE_FOLDERS = ("tests/smoke", "test/smoke", "smoke", "smoke_tests", "tests/smoke_tests")


def detect(
    tree: Tree, name: str, *, prefix: str = "", remotes: Mapping[str, str] | None = None
) -> Facts:
    """The facts of the service whose files are ``tree``.

    ``name``: the service's, a name of an app. ``prefix``: its folder inside the repository.
    ``remotes``: git's, name → URL; a password in one is not kept.
    """
    application = find_application(tree)
    installed = next(
        (one for one in ("requirements.txt", "pyproject.toml") if one in tree.paths), ""
    )
    named = frozenset(name.lower() for name in requirements.listed(tree.root))
    alembic = sorted(tree.named("alembic.ini"), key=lambda path: (path.count("/"), path))
    remotes = remotes or {}
    return Facts(
        name=name,
        prefix=prefix,
        application=application,
        apps=_apps(remotes),
        repository=_repository(remotes),
        alembic_ini=alembic[0] if alembic else "",
        flask_migrate="flask-migrate" in named or "flask_migrate" in named,
        manage=application.file if application and application.framework == "django" else "",
        smoke=tuple(one for one in _SMOKE_FOLDERS if _has_tests(tree, one))[:1],
        health=_health(tree),
        required=tuple(_read(tree, application, _REQUIRED)),
        flags=tuple(_read(tree, application, _FLAG)),
        requirements=installed,
        named=named,
        python=".python-version" if ".python-version" in tree.paths else "",
    )


def _apps(remotes: Mapping[str, str]) -> Mapping[str, str]:
    """``heroku`` is what the Heroku CLI calls the only remote: production, unless another is."""
    found: dict[str, str] = {}
    for remote, url in sorted(remotes.items()):
        match = _HEROKU.match(url)
        if match and _ENVIRONMENT.match(remote):
            name = remote.lower().removeprefix("heroku-")
            found[{"prod": "production", "stage": "staging"}.get(name, name)] = match["app"]
    if "heroku" in found and "production" not in found:
        found["production"] = found.pop("heroku")
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: one[0] != "production")))


def _repository(remotes: Mapping[str, str]) -> str:
    for remote in sorted(remotes, key=lambda name: name != "origin"):
        match = _GITHUB.match(remotes[remote])
        if match:
            return match["name"]
    return ""


def _has_tests(tree: Tree, folder: str) -> bool:
    return any(
        path.startswith(folder + "/") and path.endswith(".py") and "test" in path.rsplit("/", 1)[-1]
        for path in tree.paths
    )


def _health(tree: Tree) -> str:
    routes = [route for _, _, route in health_routes(tree)]
    for path in tree.named("urls.py"):
        routes += ["/" + route for route in _DJANGO_HEALTH.findall(tree.text_of(path) or "")]
    if not routes and any(True for _ in tree.python(_OUR_HEALTH)):
        return "/health"  # its own default
    return min(routes, key=lambda route: (len(route), route), default="")


def _read(
    tree: Tree, application: Application | None, pattern: re.Pattern[str]
) -> Iterator[Variable]:
    """The variables that ``pattern`` finds in the application's own package, each once."""
    if application is None:
        return
    first = application.module.partition(".")[0]
    base = f"{application.folder}/{first}" if application.folder else first
    seen: set[str] = set()
    for path in tree.paths:
        own = path == f"{base}.py" or path.startswith(f"{base}/")
        if not own or not path.endswith(".py") or is_test(path):
            continue
        for number, line in enumerate((tree.text_of(path) or "").splitlines(), 1):
            for name in () if line.lstrip().startswith("#") else pattern.findall(line):
                if name not in seen and name not in _NOT_CONFIG:
                    seen.add(name)
                    yield Variable(name, path, number)
