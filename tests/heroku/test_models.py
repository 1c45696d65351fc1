from __future__ import annotations

import copy
import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.errors import Unverified
from truegreen.heroku import UnexpectedAnswer, models
from truegreen.heroku.fields import parse_json
from truegreen.model import digest_of

from .platform_double import (
    ACCOUNT_JSON,
    ADDON_JSON,
    APP_JSON,
    FORMATION_JSON,
    SLUG_JSON,
    SOURCE_JSON,
    build_json,
    dyno_json,
    release_json,
)

SAMPLES: list[tuple[Any, dict[str, Any]]] = [
    (models.Account, ACCOUNT_JSON),
    (models.App, APP_JSON),
    (models.Addon, ADDON_JSON),
    (models.Source, SOURCE_JSON),
    (models.Build, build_json()),
    (models.Slug, SLUG_JSON),
    (models.Release, release_json()),
    (models.FormationEntry, FORMATION_JSON),
    (models.Dyno, dyno_json()),
]
# what must be there, per model, beside what each test takes away
REQUIRED = {
    "Account": ["id", "email"],
    "App": ["id", "name"],
    "Addon": ["id", "name", "plan"],
    "Source": ["source_blob"],
    "Build": ["id", "status", "created_at"],
    "Slug": ["id", "process_types"],
    "Release": ["id", "version", "status", "current", "created_at"],
    "FormationEntry": ["type", "quantity"],
    "Dyno": ["id", "name", "type", "state", "release", "created_at", "updated_at"],
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(("model", "raw"), SAMPLES, ids=lambda x: getattr(x, "__name__", ""))
def test_missing_null_or_wrong_field_is_named(model: Any, raw: dict[str, Any]) -> None:
    assert model.from_json(raw).raw_digest == digest_of(raw)
    for name in REQUIRED[model.__name__]:
        without = {key: value for key, value in raw.items() if key != name}
        with pytest.raises(UnexpectedAnswer, match=rf"{name} is missing"):
            model.from_json(without)
        with pytest.raises(UnexpectedAnswer, match=rf"{name} is null"):
            model.from_json(raw | {name: None})
        with pytest.raises(UnexpectedAnswer, match=rf"{name} is a list"):
            model.from_json(raw | {name: []})


@given(data=st.data())
def test_any_one_value_changed_is_read_or_named_and_never_another_error(
    data: st.DataObject,
) -> None:
    model, raw = data.draw(st.sampled_from(SAMPLES))
    changed = copy.deepcopy(raw)
    changed[data.draw(st.sampled_from(sorted(raw)))] = data.draw(json_values)
    try:
        value = model.from_json(changed)
    except Unverified:
        return
    assert value.raw_digest == digest_of(changed)


@given(json_values)
def test_any_json_is_read_or_refused_by_every_model(raw: Any) -> None:
    for model in (*(model for model, _ in SAMPLES), models.ConfigVars):
        try:
            model.from_json(raw)
        except UnexpectedAnswer:
            continue
        assert isinstance(raw, dict)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("version", True, "version is a boolean"),
        ("version", "154", "version is a string"),
        ("version", 154.0, "version is a number"),
        ("version", 0, "version is 0"),
        ("status", "succeded", "status is 'succeded', none of pending, succeeded"),
        ("status", "", "status is empty"),
        ("current", "true", "current is a string"),
        ("created_at", "yesterday", "created_at is 'yesterday'"),
        ("created_at", "2026-06-21T19:35:02", "not a time with an offset"),
        ("created_at", "0001-01-01T00:00:00+23:00", "not a time with an offset"),
        ("slug", {"id": 7}, r"release\.slug\.id is a number"),
        ("slug", {}, r"release\.slug\.id is missing"),
        ("description", "\ud800", "surrogate"),
    ],
)
def test_wrong_release_fields_are_named(field: str, value: Any, said: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=said):
        models.Release.from_json(release_json() | {field: value})


def test_release_of_a_container_has_no_slug_and_expired_is_a_status() -> None:
    raw = release_json(slug=None, status="expired", output_stream_url=None, user=None)
    release = models.Release.from_json(raw)
    assert (release.slug_id, release.status, release.output_stream_url) == (None, "expired", None)
    assert (release.label, release.user_email) == ("v154", None)


def test_times_become_utc() -> None:
    release = models.Release.from_json(release_json(created_at="2026-06-21T21:35:02+02:00"))
    assert release.created_at == datetime(2026, 6, 21, 19, 35, 2, tzinfo=UTC)
    assert release.created_at.tzinfo is UTC


def test_models_are_frozen() -> None:
    release = models.Release.from_json(release_json())
    with pytest.raises(dataclasses.FrozenInstanceError):
        release.status = "succeeded"  # type: ignore[misc]
    slug = models.Slug.from_json(SLUG_JSON)
    with pytest.raises(TypeError):
        slug.process_types["web"] = "x"  # type: ignore[index]


def test_digest_does_not_depend_on_order_or_blanks_and_does_on_every_value() -> None:
    one = parse_json(b'{"a": 1, "b": [1, 2]}', what="x")
    other = parse_json(b'{"b":[1,2],"a":1}', what="x")
    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of({"a": 1, "b": [2, 1]})
    assert digest_of(one).startswith("sha256:")


def test_config_vars_never_show_their_values() -> None:
    found = models.ConfigVars.from_json({"DATABASE_URL": "postgres://u:pw@h/db", "FLAG_X": "1"})
    assert found["FLAG_X"] == "1"
    for shown in (repr(found), str(found), f"{found}", found.raw_digest):
        assert "pw" not in shown
    assert "DATABASE_URL" in repr(found)
    with pytest.raises(UnexpectedAnswer) as caught:
        models.ConfigVars.from_json({"OK": "1", "BAD": 5, "ALSO": "s3cret"})
    assert "BAD" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(UnexpectedAnswer, match="surrogate"):
        models.ConfigVars.from_json({"A\ud800": "1"})


def test_addresses_that_are_their_own_permission_stay_out_of_reprs() -> None:
    shown = repr(models.Source.from_json(SOURCE_JSON)) + repr(models.Build.from_json(build_json()))
    assert "signature" not in shown
    assert "streams.example.com" not in shown


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<!doctype html><p>Sign in", "text/html", "is HTML"),
        (b"  <html>", "application/json", "is HTML"),
        (b"", "application/json", "is empty"),
        (b'{"id": "a', "application/json", "not valid JSON|cut-off"),
        (b'{"id": "a", ', "application/json", "cut-off"),
        (b'{"id": NaN}', "application/json", "not valid JSON"),
        (b"\xff\xfe\xfa", "application/json", "not valid JSON"),
        (b"[" * 100_000, "application/json", "not valid JSON"),
        (b"9" * 5000, "application/json", "not valid JSON"),
    ],
)
def test_what_is_no_json_says_what_it_is(body: bytes, kind: str, said: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=said):
        parse_json(body, what="GET /apps/x", content_type=kind)


def test_list_that_is_none_and_an_entry_that_is_wrong_are_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="is an object, not a list"):
        models.many(models.Release, {"releases": []})
    with pytest.raises(UnexpectedAnswer, match="release is null, not an object"):
        models.many(models.Release, [release_json(), None])
