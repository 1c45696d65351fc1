"""The OpenFeature provider, asked through the SDK's own client, with the SDK's own types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import FeatureProvider

from truegreen.config import FlagDeclaration
from truegreen.flags import FlagError, Flags, pin
from truegreen.flags.openfeature import TrueGreenProvider

FLAGS = Flags(
    "OF_",
    {
        flag.name: flag
        for flag in (
            FlagDeclaration("OF_BOOL"),
            FlagDeclaration("OF_INT", type="int", default=3),
            FlagDeclaration("OF_FLOAT", type="float", default=0.5),
            FlagDeclaration("OF_WAIT", type="duration", default=30),
            FlagDeclaration("OF_STR", type="str", default="a"),
            FlagDeclaration("OF_URL", type="url", default="http://h"),
            FlagDeclaration("OF_THEME", type="choice", default="a", choices=("a", "b")),
            FlagDeclaration("OF_LIST", type="list", default=("x",)),
            FlagDeclaration("OF_OPEN", fail="open", default=False),
        )
    },
)
ENVIRON = {"OF_BOOL": "on", "OF_WAIT": "1m", "OF_LIST": "a,b", "OF_OPEN": "maybe"}


@pytest.fixture
def client() -> Iterator[OpenFeatureClient]:
    api.set_provider(TrueGreenProvider(FLAGS.read(ENVIRON, config={"OF_INT": 4})))
    yield api.get_client()
    api.clear_providers()


@pytest.mark.parametrize(
    ("kind", "name", "fallback", "value", "reason", "source"),
    [
        ("boolean", "OF_BOOL", False, True, Reason.STATIC, "env"),
        ("integer", "OF_INT", 0, 4, Reason.STATIC, "config"),
        ("float", "OF_WAIT", 0.0, 60.0, Reason.STATIC, "env"),
        ("object", "OF_LIST", [], ["a", "b"], Reason.STATIC, "env"),
        ("float", "OF_FLOAT", 0.0, 0.5, Reason.DEFAULT, "default"),
        ("string", "OF_STR", "z", "a", Reason.DEFAULT, "default"),
        ("string", "OF_URL", "z", "http://h", Reason.DEFAULT, "default"),
        ("string", "OF_THEME", "z", "a", Reason.DEFAULT, "default"),
    ],
)
def test_values_come_with_reason_and_source(
    client: OpenFeatureClient, kind: str, name: str, fallback: Any, value: Any, reason: Reason,
    source: str,
) -> None:  # fmt: skip
    details = getattr(client, f"get_{kind}_details")(name, fallback)
    assert (details.value, details.reason, details.error_code) == (value, reason, None)
    assert details.flag_metadata == {"source": source, "present": reason is Reason.STATIC}
    later = asyncio.run(getattr(client, f"get_{kind}_details_async")(name, fallback))
    assert later == details


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("OF_TYPO", ErrorCode.FLAG_NOT_FOUND),
        ("OF_INT", ErrorCode.TYPE_MISMATCH),
        ("OF_OPEN", ErrorCode.PARSE_ERROR),
    ],
)
def test_errors_give_the_callers_default_and_say_which(
    client: OpenFeatureClient, name: str, code: ErrorCode
) -> None:
    details = client.get_boolean_details(name, True)
    assert (details.value, details.reason, details.error_code) == (True, Reason.ERROR, code)
    assert name in (details.error_message or "")
    asked = TrueGreenProvider(FLAGS.read(ENVIRON)).resolve_boolean_details(name, True)
    assert (asked.value, asked.error_code) == (True, code)
    given = {} if code is ErrorCode.FLAG_NOT_FOUND else {"source": "default"}
    assert given.items() <= asked.flag_metadata.items()
    assert ("present" in asked.flag_metadata) is bool(given)


def test_a_bool_is_no_integer_and_an_integer_no_float(client: OpenFeatureClient) -> None:
    assert client.get_integer_details("OF_BOOL", 7).error_code is ErrorCode.TYPE_MISMATCH
    assert client.get_float_details("OF_INT", 7.0).error_code is ErrorCode.TYPE_MISMATCH
    assert client.get_string_details("OF_LIST", "z").error_code is ErrorCode.TYPE_MISMATCH


def test_a_pin_is_static_and_says_that_it_is_one(client: OpenFeatureClient) -> None:
    with pin(OF_STR="pinned"):
        details = client.get_string_details("OF_STR", "z")
        assert (details.value, details.reason) == ("pinned", Reason.STATIC)
        assert details.flag_metadata == {"source": "pin", "present": True}
    assert client.get_string_details("OF_STR", "z").reason is Reason.DEFAULT


def test_what_is_unparseable_refuses_the_start_before_there_is_a_provider() -> None:
    with pytest.raises(FlagError, match="OF_BOOL"):
        TrueGreenProvider(FLAGS.read({"OF_BOOL": "maybe"}))


def test_the_provider_has_all_that_the_sdk_asks_of_one() -> None:
    provider: FeatureProvider = TrueGreenProvider(FLAGS.read({}))
    assert provider.get_metadata().name == "truegreen"
    assert provider.get_provider_hooks() == []
    assert isinstance(provider.resolve_boolean_details("OF_BOOL", True), FlagResolutionDetails)
