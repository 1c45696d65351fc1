"""Who gets an answer, and what every answer carries."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from board_service import Service, green


@pytest.mark.parametrize("host", ["localhost", "localhost:8377", "127.0.0.1:1", "[::1]:8377"])
def test_this_machines_names_are_answered(service: Service, host: str) -> None:
    assert service.get("/", host=host).status_code == 200


@pytest.mark.parametrize("path", ["/", "/events", "/index.json"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io",
                                  "", "localhost@evil", "[::2]"])  # fmt: skip
def test_a_strangers_name_for_this_machine_gets_nothing(
    service: Service, host: str, path: str
) -> None:
    service.record(green())
    answer = service.get(path, host=host)
    assert answer.status_code == 421
    assert "raptor-prod" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_answered(service: Service, method: str) -> None:
    assert service.ask(method, "/").status_code == 405


@pytest.mark.parametrize("path", ["/", "/nope", "/index.json", "/drills"])
def test_the_policy_lets_only_the_pages_own_style_and_script_run(
    service: Service, path: str
) -> None:
    answer = service.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    for tag in ("style", "script"):
        for text in re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, flags=re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", answer.text)
