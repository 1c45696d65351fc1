from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truegreen.errors import UsageError
from truegreen.heroku.address import (
    HEROKU_API,
    check_app,
    check_data_url,
    is_loopback,
    parse_api_url,
    segment,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HEROKU_API, "https://api.heroku.com"),
        ("https://API.heroku.com:443/", "https://api.heroku.com"),
        ("https://platform.example.com:8443", "https://platform.example.com:8443"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://api.localhost", "http://api.localhost"),
    ],
)
def test_api_url_is_taken_and_shown_in_one_form(text: str, shown: str) -> None:
    assert str(parse_api_url(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.heroku.com",
        "ftp://127.0.0.1",
        "https://",
        "https://api.heroku.com/v3",
        "https://api.heroku.com?x",
        "https://api.heroku.com#",
        "https://api.heroku.com:0",
        "https://api.heroku.com:99999",
        "https://api .heroku.com",
        "https://api.heroku.com\n",
        "https://-a.com",
        "https://a..com",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://127.0.0.1\\@evil.example.com",
        "https://bücher.example",
    ],
)
def test_api_url_that_is_none_is_a_usage_error_with_a_fix(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_api_url(text)
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "host",
    [
        "api.heroku.com",
        "localhost.evil.example.com",
        "notlocalhost",
        "127.0.0.1.evil.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::ffff:10.0.0.1]",
        "[::2]",
    ],
)
def test_plain_http_is_for_loopback_only(host: str) -> None:
    with pytest.raises(UsageError, match=r"write https://"):
        parse_api_url(f"http://{host}")


def test_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        parse_api_url("https://user:hunter2@api.heroku.com")
    assert "hunter2" not in str(caught.value)


def test_origin_is_scheme_host_and_port_together() -> None:
    api = parse_api_url("https://api.heroku.com")
    assert api.is_origin_of("https", "API.heroku.com", None)
    assert api.is_origin_of("https", "api.heroku.com", 443)
    assert not api.is_origin_of("http", "api.heroku.com", 443)
    assert not api.is_origin_of("https", "api.heroku.com", 444)
    assert not api.is_origin_of("https", "api.heroku.com.evil.example.com", None)


def test_data_url_may_have_path_and_query_but_not_plain_http_elsewhere() -> None:
    url = "https://s3.example.com/a/b?X-Amz-Signature=abc%20d"
    assert check_data_url(url, what="put_url") == url
    assert check_data_url("http://127.0.0.1:5/x", what="put_url")
    for bad in ("http://s3.example.com/signed", "https://u:p@s3.example.com/signed", "file:///x"):
        with pytest.raises(UsageError) as caught:
            check_data_url(bad, what="put_url")
        assert "signed" not in str(caught.value)


@pytest.mark.parametrize("name", ["raxx-api-prod", "abc", "01234567-89ab-cdef-0123-456789abcdef"])
def test_app_name_or_id_is_taken(name: str) -> None:
    assert check_app(name) == name


@pytest.mark.parametrize("name", ["", "ab", "Abc", "a-b-", "1abc", "a/b", "..", "a" * 31, "abc\n"])
def test_app_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_app(name)


def test_segment_never_leaves_its_place_in_a_path() -> None:
    assert segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
    for bad in ("", ".", ".."):
        with pytest.raises(UsageError):
            segment(bad)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    for candidate in (text, f"http://{text}", f"https://{text}"):
        try:
            address = parse_api_url(candidate)
        except UsageError:
            continue
        assert address.scheme == "https" or is_loopback(address.host)
        assert parse_api_url(str(address)) == address
