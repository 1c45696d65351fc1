from __future__ import annotations

from pathlib import Path

from truegreen.embedded.environment import build_env, process_env
from truegreen.embedded.records import App, Release, ReleaseStatus, Slug

SLUG = Slug("s", "a", "c0ffee", {"web": "x"}, "v", 1, "", "")


def env(config: dict[str, str], *, metadata: bool = True) -> dict[str, str]:
    app = App("a", "demo", config, "r", metadata, "", "")
    release = Release(
        "r", "a", 7, ReleaseStatus.PENDING, "Deploy", "s", config, True, None, "now", "now"
    )
    return process_env(
        app, release, SLUG, slug_dir=Path("/slug"), venv=Path("/venv"), dyno="release.7"
    )


def test_a_process_gets_the_config_vars_and_who_it_is() -> None:
    found = env({"DATABASE_URL": "db", "LANG": "de_DE.UTF-8"})
    assert found["DATABASE_URL"] == "db"
    assert found["LANG"] == "de_DE.UTF-8"
    assert found["HEROKU_RELEASE_VERSION"] == "v7"
    assert found["HEROKU_SLUG_COMMIT"] == "c0ffee"
    assert found["HOME"] == "/slug"
    assert found["PATH"].split(":")[0] == "/venv/bin"


def test_a_config_var_cannot_pretend_to_be_another_dyno() -> None:
    found = env({"DYNO": "x", "HOME": "/x", "PORT": "1", "HEROKU_SLUG_COMMIT": "x", "PATH": "/own"})
    assert (found["DYNO"], found["HOME"]) == ("release.7", "/slug")
    assert found["HEROKU_SLUG_COMMIT"] == "c0ffee"
    assert "PORT" not in found
    assert found["PATH"].startswith("/venv/bin:/own:")


def test_without_the_feature_there_is_no_metadata() -> None:
    assert not any(name.startswith("HEROKU_") for name in env({}, metadata=False))


def test_a_build_reaches_the_index_and_sees_no_secret() -> None:
    operator = {
        "HOME": "/users/me", "HTTPS_PROXY": "http://proxy", "SSL_CERT_FILE": "/ca", "UV_INDEX": "i",
        "PIP_INDEX_URL": "https://index", "AWS_SECRET_ACCESS_KEY": "s", "UV_PUBLISH_TOKEN": "s",
        "HEROKU_API_KEY": "s", "PYTHONPATH": "/mine",
    }  # fmt: skip
    found = build_env(operator, home=Path("/tmp/h"), uv_bin=Path("/uv/uv"), find_links=Path("/w"))
    assert found["HTTPS_PROXY"] == "http://proxy"
    assert found["SSL_CERT_FILE"] == "/ca"
    assert found["UV_INDEX"] == "i"
    assert found["UV_INDEX_URL"] == "https://index"
    assert found["UV_FIND_LINKS"] == "/w"
    assert found["UV_CACHE_DIR"] == "/users/me/.cache/uv"
    assert found["HOME"] == "/tmp/h"
    assert "s" not in found.values()
    assert "PYTHONPATH" not in found
