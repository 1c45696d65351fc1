"""The environments that processes of the embedded platform get: dynos, release commands, builds.

Pure: mappings in, mappings out. A dyno and a release command get the app's config vars and the
platform's own variables, and nothing of whoever started the platform. A build gets what it needs to
reach a package index.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from truegreen.embedded.records import App, Release, Slug

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"

# What Heroku's Python buildpack sets unless the app sets it (facts: FORWARDED_ALLOW_IPS='*').
# HOST is ours: the platform listens on this machine only, and so should its dynos.
BUILDPACK_DEFAULTS = {
    "FORWARDED_ALLOW_IPS": "*",
    "HOST": "127.0.0.1",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "true",
}

# Of the operator's environment, a build may see how to reach an index and how to trust it.
_BUILD_NAMES = frozenset(
    [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NIX_SSL_CERT_FILE",
        "GIT_SSL_CAINFO",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_CERT",
        "PIP_TRUSTED_HOST",
    ]
)
_NOT_FOR_BUILDS = ("UV_PUBLISH", "UV_PROJECT", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_RUN", "UV_TOOL")


def process_env(
    app: App, release: Release, slug: Slug, *, slug_dir: Path, venv: Path, dyno: str
) -> dict[str, str]:
    """What ``dyno`` ('web.1', 'release.7') of ``release`` gets: all of it, but PORT.

    HOME is the slug's folder. The config vars win over the buildpack's defaults, the platform's
    identity variables win over the config vars. The HEROKU_* ones are Heroku's runtime dyno
    metadata, there while the app's feature is on.
    """
    env = {**BUILDPACK_DEFAULTS, "PYTHONPATH": str(slug_dir), **release.config}
    path = [str(venv / "bin"), release.config.get("PATH", ""), SYSTEM_PATH]
    env |= {
        "DYNO": dyno,
        "HOME": str(slug_dir),
        "PATH": ":".join(part for part in path if part),
    }
    env.pop("PORT", None)
    if app.dyno_metadata:
        env |= {
            "HEROKU_APP_ID": app.id,
            "HEROKU_APP_NAME": app.name,
            "HEROKU_RELEASE_CREATED_AT": release.created_at,
            "HEROKU_RELEASE_VERSION": f"v{release.version}",
            "HEROKU_SLUG_COMMIT": slug.commit or "",
            "HEROKU_SLUG_DESCRIPTION": release.description,
        }
    return env


def build_env(
    operator: Mapping[str, str], *, home: Path, uv_bin: Path, find_links: Path | None
) -> dict[str, str]:
    """What a build gets. ``operator``: the environment of the platform's process.

    pip's index settings are handed on as uv's where uv's are not set. uv's cache, its Pythons and
    its user configuration stay the operator's, so that a build is quick; HOME is not.
    """
    env = {
        name: value
        for name, value in operator.items()
        if name in _BUILD_NAMES or (name.startswith("UV_") and not name.startswith(_NOT_FOR_BUILDS))
    }
    real_home = Path(operator.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - no raise
    env.setdefault(
        "UV_CACHE_DIR", operator.get("XDG_CACHE_HOME", str(real_home / ".cache")) + "/uv"
    )
    env["XDG_CONFIG_HOME"] = operator.get("XDG_CONFIG_HOME", str(real_home / ".config"))
    env["XDG_DATA_HOME"] = operator.get("XDG_DATA_HOME", str(real_home / ".local/share"))
    if "PIP_INDEX_URL" in env:
        env.setdefault("UV_INDEX_URL", env["PIP_INDEX_URL"])
    if "PIP_EXTRA_INDEX_URL" in env:
        env.setdefault("UV_EXTRA_INDEX_URL", env["PIP_EXTRA_INDEX_URL"])
    links = [part for part in env.get("UV_FIND_LINKS", "").split(",") if part]
    links += env.get("PIP_FIND_LINKS", "").split()
    if find_links is not None:
        links.insert(0, str(find_links))
    if links:
        env["UV_FIND_LINKS"] = ",".join(links)
    return env | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": f"{uv_bin.parent}:{SYSTEM_PATH}",
        "UV_NO_PROGRESS": "1",
        "UV_LINK_MODE": env.get("UV_LINK_MODE", "hardlink"),
        "NO_COLOR": "1",
    }
