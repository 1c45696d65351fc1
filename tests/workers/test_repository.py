"""Addresses that may stand in a shared table: nothing secret, nothing that runs a command."""

from __future__ import annotations

import pytest

from truegreen.errors import UsageError
from truegreen.workers.repository import shareable


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/shop.git",
        "https://git.example.com:8443/shop",
        "ssh://git@example.com:2222/shop.git",
        "git@github.com:acme/shop.git",
        "/srv/git/shop.git",
        "file:///srv/git/shop.git",
    ],
)
def test_an_address_that_workers_can_fetch_stays_as_it_is(address: str) -> None:
    assert shareable(f" {address}\n") == address


def test_a_password_is_left_out() -> None:
    given = "https://x-access-token:ghs_s3cret@github.com/acme/shop.git"
    assert shareable(given) == "https://github.com/acme/shop.git"
    assert shareable("ssh://git:s3cret@example.com/shop") == "ssh://git@example.com/shop"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ext::sh -c 'touch /tmp/owned'",
        "fd::17",
        "-uupload-pack=touch owned",
        "--upload-pack=x",
        "http://git.example.com/shop",
        "git://example.com/shop",
        "ftp://example.com/shop",
        "../shop",
        "shop.git",
        "https:///nowhere",
        "ssh://-oProxyCommand=x/shop",
        "-oProxyCommand=x:shop",
        "https://[::1/shop",
        "https://github.com/shop?token=s3cret",
        "file://host/share",
        "https://github.com/a\nb",
        "https://github.com/" + "a" * 600,
    ],
)
def test_any_other_is_refused_without_showing_what_may_be_secret(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        shareable(address)
    assert "s3cret" not in str(refused.value)


def test_a_refusal_shows_no_password() -> None:
    with pytest.raises(UsageError) as refused:
        shareable("http://user:s3cret@git.example.com/shop")
    assert "s3cret" not in str(refused.value)
    assert "git.example.com" in str(refused.value)
