"""Puts a tarball where a source says. No token goes along: the address is the permission."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from truegreen.errors import DeadlineExceeded, PlatformRefused, PlatformUnreachable, UsageError
from truegreen.heroku.retry import Deadline, backoff
from truegreen.light_httpx import httpx

ATTEMPTS = 4
_PIECE = 256 * 1024  # bytes


def upload(
    http: httpx.Client,
    put_url: str,
    path: Path,
    *,
    deadline: float,
    timeout: float = 30.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float],
) -> None:
    """PUTs the file ``path`` to ``put_url`` (checked already) in ``deadline`` seconds.

    A PUT of the same bytes to the same address may be repeated, so resets and 5xx are retried.
    No Content-Type is sent: S3 signs it as empty. Raises UsageError (file), PlatformUnreachable,
    PlatformRefused, DeadlineExceeded; none shows more of the address than its host.
    """
    left = Deadline(deadline, clock)
    where = httpx.URL(put_url).host
    attempt = 0
    while True:
        problem: PlatformUnreachable
        try:
            status = _put(http, put_url, path, min(timeout, max(0.001, left.remaining)), left)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
        except httpx.RequestError as error:
            problem = PlatformUnreachable(
                f"the upload of {path.name} to {where} failed: {type(error).__name__}"
            )
        else:
            if status < 300:
                return
            if status < 500 and status != 429:
                raise PlatformRefused(
                    f"{where} answered {status} to the upload of {path.name}", status=status
                )
            problem = PlatformUnreachable(f"{where} answered {status} to the upload of {path.name}")
        attempt += 1
        wait = backoff(attempt, random, base=0.2, longest=5.0)
        if attempt >= ATTEMPTS or wait >= left.remaining:
            raise problem
        sleep(wait)


def _put(http: httpx.Client, url: str, path: Path, seconds: float, left: Deadline) -> int:
    with path.open("rb") as file:
        size = path.stat().st_size

        def pieces() -> Iterator[bytes]:
            while piece := file.read(_PIECE):
                if left.passed:
                    raise DeadlineExceeded(f"the upload took over {left.seconds:g} s")
                yield piece

        response = http.put(
            url,
            content=pieces(),
            headers={"Content-Length": str(size)},
            timeout=seconds,
            follow_redirects=False,
        )
    return response.status_code
