"""Builds over HTTP: what they make, what they refuse, in which words. One needs an index."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from truegreen.embedded.wheel import own_wheel

pytestmark = pytest.mark.platform


@pytest.fixture(scope="module")
def client(shared: Any) -> Any:
    shared.post("/apps", {"name": "demo"})
    return shared


def failed(client: Any, source: bytes) -> str:
    """The output of a build that must fail, and must make no release."""
    before = client.get("/apps/demo/releases")
    build, output = client.build("demo", source)
    assert (build["status"], build["release"], build["slug"]) == ("failed", None, None)
    assert build["failure_reason"]
    assert client.get("/apps/demo/releases") == before
    assert "no release was made" in output
    return str(output)


def test_a_build_tells_its_steps_and_names_its_release_and_slug(client: Any) -> None:
    source = client.tarball(client.APP)
    build, output = client.build("demo", source, "abc123")
    assert build["status"] == "succeeded"
    for step in ("-----> Python app detected: requirements.txt", "Procfile declares types -> web",
                 "Released v"):  # fmt: skip
        assert step in output
    slug = client.get(f"/apps/demo/slugs/{build['slug']['id']}")
    assert slug["commit"] == build["source_blob"]["version"] == "abc123"
    assert slug["process_types"] == {"web": "python app.py"}
    assert slug["checksum"] == f"SHA256:{hashlib.sha256(source).hexdigest()}"
    release = client.get(f"/apps/demo/releases/{build['release']['id']}")
    assert (release["slug"]["id"], release["description"]) == (slug["id"], "Deploy abc123")
    assert [b["id"] for b in client.get("/apps/demo/builds")] == [build["id"]]


def test_the_same_requirements_are_not_installed_twice(client: Any) -> None:
    client.build("demo", client.tarball(client.APP))
    _, output = client.build("demo", client.tarball({**client.APP, "x": "1"}))
    assert "Using the virtual environment that was built for the same before" in output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Procfile": None}, "no Procfile"),
        ({"Procfile": "\n"}, "declares no process type"),
        ({"requirements.txt": None}, "looked for requirements.txt, uv.lock"),
        ({"requirements.txt": "no such @@ thing\n"}, "cannot be installed: see uv's words"),
        ({"requirements.txt": "x @ file:///nowhere/x-1-py3-none-any.whl\n"}, "nowhere"),
        ({".python-version": "2.1\n"}, "2.1"),
    ],
)
def test_a_source_that_cannot_be_built_says_why(
    client: Any, change: dict[str, str | None], words: str
) -> None:
    files = {k: v for k, v in {**client.APP, **change}.items() if v is not None}
    assert words in failed(client, client.tarball(files))


@pytest.mark.parametrize("source", [b"", b"nonsense"])
def test_an_upload_that_is_no_source_fails_the_build(client: Any, source: bytes) -> None:
    failed(client, source)


def test_a_source_with_a_way_out_fails_the_build(client: Any) -> None:
    out = failed(client, client.tarball({**client.APP, "../../evil": "x"}))
    assert "wants out of its folder" in out
    assert not list(client.info.data.rglob("evil"))


def test_what_failed_leaves_neither_slug_nor_environment(client: Any) -> None:
    before = {p.name for f in ("slugs", "venvs") for p in (client.info.data / f).iterdir()}
    failed(client, client.tarball({**client.APP, "requirements.txt": "@@ broken 2\n"}))
    after = {p.name for f in ("slugs", "venvs") for p in (client.info.data / f).iterdir()}
    assert after == before


def test_a_source_without_web_is_built_and_told_that_nothing_will_answer(client: Any) -> None:
    client.post("/apps", {"name": "worker"})
    files = {**client.APP, "Procfile": "worker: sleep 600\n"}
    build, output = client.build("worker", client.tarball(files))
    assert build["status"] == "succeeded"
    assert "The Procfile has no `web`" in output
    assert client.get("/apps/worker/dynos") == []


def test_a_wrong_checksum_fails_the_build(client: Any) -> None:
    blob = client.post("/sources")["source_blob"]
    client.http.put(blob["put_url"], content=client.tarball(client.APP))
    build = client.post(
        "/apps/demo/builds",
        {"source_blob": {"url": blob["get_url"], "checksum": "SHA256:" + "0" * 64}},
    )
    assert "checksum" in client.http.get(build["output_stream_url"]).text


def test_a_source_of_somewhere_else_is_not_fetched(client: Any) -> None:
    for url in ("http://127.0.0.1:1/x", "file:///etc/passwd", "", client.info.api + "/apps"):
        answer = client.http.post("/apps/demo/builds", json={"source_blob": {"url": url}})
        assert answer.status_code == 422
    assert client.http.post("/apps/demo/builds", json={}).status_code == 422


def test_an_upload_without_its_url_is_refused(client: Any) -> None:
    for name in ("x", "..", "%2e%2e%2fstate.sqlite3", "a" * 43):
        answer = client.http.put(f"/source-files/{name}", content=b"x")
        assert answer.status_code == 404


def test_two_builds_at_once_share_an_environment_and_both_succeed(client: Any) -> None:
    for name in ("left", "right"):
        client.post("/apps", {"name": name})
    source = client.tarball({**client.APP, "requirements.txt": "# two at once\n"})
    builds = {name: client.start_build(name, source) for name in ("left", "right")}
    outputs = [client.http.get(b["output_stream_url"]).text for b in builds.values()]
    for name, build in builds.items():
        assert client.get(f"/apps/{name}/builds/{build['id']}")["status"] == "succeeded"
        client.up(name, 2)
    assert sorted("Using the virtual" in text for text in outputs) == [False, True]


def test_a_project_is_installed_as_a_package(client: Any) -> None:
    client.post("/apps", {"name": "packaged"})
    project = '[project]\nname = "thing"\nversion = "1"\n[tool.uv]\npackage = false\n'
    files = {**client.APP, "pyproject.toml": project}
    del files["requirements.txt"]
    _, output = client.build("packaged", client.tarball(files))
    assert "Python app detected: pyproject.toml" in output
    client.up("packaged", 2)


def test_a_build_offers_this_truegreen_that_no_index_has(client: Any) -> None:
    client.post("/apps", {"name": "ours"})
    wheel = own_wheel(client.info.data / "wheels")
    assert wheel is not None
    procfile = client.APP["Procfile"] + (
        "release: python -c 'import truegreen.flags; print(truegreen.flags.__file__)'\n"
    )
    files = {**client.APP, "Procfile": procfile, "requirements.txt": "truegreen\n"}
    build, output = client.build("ours", client.tarball(files))
    assert build["status"] == "succeeded", output
    assert "Offering truegreen" in output
    release = client.settled("ours", build["release"]["id"])
    assert str(client.info.data / "venvs") in client.output(release)


def test_a_build_that_takes_too_long_is_ended(client: Any) -> None:
    client.patch("/truegreen/settings", {"build-timeout": "0.001"})
    try:
        source = client.tarball({**client.APP, "requirements.txt": "# slow\n"})
        assert "did not end within 0.001 s" in failed(client, source)
    finally:
        client.patch("/truegreen/settings", {"build-timeout": "900"})
