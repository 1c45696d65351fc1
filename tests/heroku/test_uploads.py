from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truegreen.errors import DeadlineExceeded, PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku import HerokuClient, models
from truegreen.secret import Secret

from .platform_double import TOKEN, Time
from .wire import Wire, whole

SIZE = 3_000_000


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    path = tmp_path / "source.tgz"
    path.write_bytes(bytes(range(250)) * (SIZE // 250))
    return path


def put(wire: Wire, path: Path, **kwargs: Any) -> None:
    url = f"{wire.url}/put?signature=s3cret"
    source = models.Source.from_json({"source_blob": {"put_url": url, "get_url": url}})
    with HerokuClient(wire.url, Secret(TOKEN), sleep=lambda _: None) as client:
        client.upload(source, path, **kwargs)


def answers(*statuses: str) -> Callable[[Any, int, Callable[[bytes], None]], str | None]:
    def answer(_asked: Any, number: int, say: Callable[[bytes], None]) -> str | None:
        if statuses[number] == "reset":
            return "reset"
        say(whole(statuses[number], b"", "text/plain"))
        return None

    return answer


def test_upload_arrives_whole_with_its_length_and_without_type_or_token(tarball: Path) -> None:
    with Wire(answers("200 OK")) as wire:
        put(wire, tarball)
        (asked,) = wire.asked
    assert (asked.method, asked.path) == ("PUT", "/put?signature=s3cret")
    assert asked.body == tarball.read_bytes()
    assert asked.headers["content-length"] == str(SIZE)
    assert not {"authorization", "content-type", "transfer-encoding"} & set(asked.headers)


def test_upload_is_repeated_from_its_beginning(tarball: Path) -> None:
    with Wire(answers("503 Slow Down", "reset", "200 OK")) as wire:
        put(wire, tarball)
        assert [len(asked.body) for asked in wire.asked] == [SIZE] * 3


def test_upload_that_is_refused_is_not_repeated_and_keeps_its_address_secret(
    tarball: Path,
) -> None:
    with Wire(answers("403 Forbidden", "200 OK")) as wire:
        with pytest.raises(PlatformRefused) as caught:
            put(wire, tarball)
        assert len(wire.asked) == 1
    assert caught.value.status == 403
    assert "s3cret" not in str(caught.value)


def test_upload_is_not_followed_elsewhere(tarball: Path) -> None:
    with Wire(answers("307 Temporary Redirect")) as wire, pytest.raises(PlatformRefused):
        put(wire, tarball)


def test_upload_to_nobody_is_unreachable(tarball: Path) -> None:
    with Wire(answers()) as wire:
        pass
    with pytest.raises(PlatformUnreachable) as caught:
        put(wire, tarball)
    assert "s3cret" not in str(caught.value)


def test_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with Wire(answers()) as wire:
        with pytest.raises(UsageError, match=r"cannot read .*missing\.tgz"):
            put(wire, tmp_path / "missing.tgz")
        assert wire.asked == []


def test_upload_ends_at_its_deadline(tarball: Path) -> None:
    time = Time()

    def clock() -> float:
        time.now += 1.0
        return time.now

    with Wire(answers("200 OK")) as wire:
        source = models.Source.from_json(
            {"source_blob": {"put_url": f"{wire.url}/p", "get_url": f"{wire.url}/p"}}
        )
        client = HerokuClient(wire.url, Secret(TOKEN), sleep=lambda _: None, clock=clock)
        with client, pytest.raises(DeadlineExceeded):
            client.upload(source, tarball, deadline=5)
