"""Secret references: where they lead, and that no error on the way shows what they stand for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_vault import VAULT_TOKEN, fake_vault

from truegreen.errors import UsageError
from truegreen.secret import resolve, variable, withhold

VALUE = "v4lue-of-the-secret"
SECRETS = {"secret/truegreen/prod": {"token": VALUE, "empty": "", "number": 7}}
REFERENCE = "vault:secret/truegreen/prod#token"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", VAULT_TOKEN)
    monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
    return monkeypatch


def fails(reference: str) -> str:
    with pytest.raises(UsageError) as failed:
        resolve(reference, what="env.production.token")
    told = f"{failed.value} {failed.value!r} {failed.value.__cause__!r}"
    assert VALUE not in told
    assert VAULT_TOKEN not in told
    return told


def test_vault_gives_the_field_of_the_secret(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with fake_vault(SECRETS) as address:
        environ.setenv("VAULT_ADDR", address)
        secret = resolve(REFERENCE, what="x")
        assert secret.reveal() == VALUE
        assert VALUE not in f"{secret} {secret!r}"
        environ.delenv("VAULT_TOKEN")
        (tmp_path / ".vault-token").write_text(VAULT_TOKEN + "\n")
        assert resolve(REFERENCE, what="x").reveal() == VALUE


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("vault:secret/truegreen/none#token", "no such secret"),
        ("vault:secret/truegreen/prod#none", "no text in the field none"),
        ("vault:secret/truegreen/prod#empty", "no text in the field empty"),
        ("vault:secret/truegreen/prod#number", "no text in the field number"),
        ("vault:secret/truegreen/prod", "is no reference"),
        ("vault:secret#token", "is no reference"),
        ("vault:secret/../sys/x#token", "is no reference"),
        ("vault:", "not a secret reference"),
    ],
)
def test_a_reference_that_leads_nowhere_says_where_it_ends(
    environ: pytest.MonkeyPatch, reference: str, says: str
) -> None:
    with fake_vault(SECRETS) as address:
        environ.setenv("VAULT_ADDR", address)
        assert says in fails(reference)


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (b"<html>", 200, "no key-value store"),
        (b"[]", 200, "no key-value store"),
        (b'{"data": null}', 200, "no key-value store"),
        (b"{}", 500, "InternalServerError"),
        (b"{}", 503, "VaultDown"),
        (b"{}", 307, "no key-value store"),  # not followed: the token goes nowhere else
    ],
)
def test_whatever_answers_instead_is_said(
    environ: pytest.MonkeyPatch, raw: bytes, status: int, says: str
) -> None:
    with fake_vault(SECRETS, raw=raw, status=status) as address:
        environ.setenv("VAULT_ADDR", address)
        assert says in fails(REFERENCE)


def test_a_wrong_token_no_answer_and_no_address_are_three_different_things(
    environ: pytest.MonkeyPatch,
) -> None:
    with fake_vault(SECRETS) as address:
        environ.setenv("VAULT_ADDR", address)
        environ.setenv("VAULT_TOKEN", "another")
        assert "refuses the token" in fails(REFERENCE)
        environ.delenv("VAULT_TOKEN")
        assert "there is no Vault token" in fails(REFERENCE)
        environ.setenv("VAULT_TOKEN", VAULT_TOKEN)
    assert "gave no answer" in fails(REFERENCE)
    environ.setenv("VAULT_ADDR", "http://vault.example.com")
    assert "in the clear" in fails(REFERENCE)
    environ.delenv("VAULT_ADDR")
    assert "VAULT_ADDR is no address" in fails(REFERENCE)


def test_without_hvac_it_says_what_to_install(environ: pytest.MonkeyPatch) -> None:
    environ.setitem(sys.modules, "hvac", None)
    assert "truegreen[vault]" in fails(REFERENCE)


def test_what_is_withheld_is_known_here_and_given_to_no_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TG_TEST_TOKEN", VALUE)
    withhold(["TG_TEST_TOKEN", "TG_TEST_NOT_SET"])
    assert "TG_TEST_TOKEN" not in os.environ
    assert variable("TG_TEST_TOKEN") == VALUE
    assert resolve("env:TG_TEST_TOKEN", what="x").reveal() == VALUE
    child = [sys.executable, "-c", "import os; print(dict(os.environ))"]
    assert VALUE not in subprocess.run(child, capture_output=True, text=True, check=True).stdout
    assert "not set" in fails("env:TG_TEST_NOT_SET")
