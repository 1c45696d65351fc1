"""What to say of a failed test in one line: its assertion, and the response that explains it."""

from __future__ import annotations

from typing import Any

MESSAGE_LIMIT = 300  # characters
BODY_LIMIT = 200


def message_of(text: str, body: str = "") -> str:
    """The assertion out of a failure's text, else its first line. At most MESSAGE_LIMIT long.

    The assertion's own message is added, unless it only repeats ``body``.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    # A module that cannot be imported is told as a text, whose lines marked E hold the cause.
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    found = next((line for line in lines if line.startswith("assert ")), (marked or lines)[0])
    said = lines[0].removeprefix("AssertionError:").strip()
    if (
        found.startswith("assert ")
        and said != found
        and said
        and not (body and body.startswith(said[:BODY_LIMIT]))
    ):
        found = f"{found} ({said})"
    return found[:MESSAGE_LIMIT]


def body_of(frames: list[Any]) -> str:
    """The beginning of the response held by a local variable of ``frames`` (innermost last).

    A response is what has a ``status_code`` and a body, as in werkzeug, httpx and requests. The
    innermost frame's last one is taken, and "" when there is none. Never raises.
    """
    for frame in reversed(frames):
        for value in reversed(list(frame.f_locals.values())):
            try:
                if type(getattr(value, "status_code", None)) is int:
                    return _text_of(value)[:BODY_LIMIT]
            except Exception:  # noqa: BLE001, S112  # a user's object; explaining must not fail
                continue
    return ""


def _text_of(response: Any) -> str:
    get_data = getattr(response, "get_data", None)
    raw = get_data() if callable(get_data) else getattr(response, "content", b"")
    text = raw[: BODY_LIMIT * 4].decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return " ".join(text.split())
