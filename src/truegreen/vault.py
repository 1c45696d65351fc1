"""One secret out of HashiCorp Vault's key-value store, version 2, by hvac (extra ``vault``).

Address and token are Vault's own variables (VAULT_ADDR, VAULT_TOKEN or ~/.vault-token,
VAULT_NAMESPACE). Nothing of ours but the errors is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from truegreen.errors import UsageError

_TIMEOUT = 10  # seconds
_FORM = "vault:MOUNT/PATH#FIELD, e.g. vault:secret/truegreen/prod#token"


def parse_reference(reference: str) -> tuple[str, str, str]:
    """Mount, path and field of ``MOUNT/PATH#FIELD``. UsageError for anything else."""
    place, _, field = reference.rpartition("#")
    mount, _, path = place.strip("/").partition("/")
    if not mount or not path or not field or ".." in path.split("/"):
        raise UsageError(f"vault:{reference} is no reference", hint=f"write {_FORM}")
    return mount, path, field


def read_secret(reference: str, environ: Mapping[str, str], *, what: str) -> str:
    """The value that ``vault:reference`` stands for.

    ``what`` names the thing in errors. Raises UsageError when Vault is not to be had, refuses, or
    has no such secret; no error holds the token or a value.
    """
    mount, path, field = parse_reference(reference)
    try:
        import hvac
        import hvac.exceptions
        import requests.exceptions
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what}: vault: needs hvac, which is not installed",
            hint="pip install 'truegreen[vault]'",
        ) from error
    where = f"{what}: vault:{mount}/{path}"
    client = hvac.Client(
        url=_address(environ, what),
        token=_token(environ, what),
        namespace=environ.get("VAULT_NAMESPACE") or None,
        timeout=_TIMEOUT,
        allow_redirects=False,  # the token goes to the address that was given, and to no other
    )
    try:
        found = client.secrets.kv.v2.read_secret_version(
            path=path, mount_point=mount, raise_on_deleted_version=True
        )
        value = found["data"]["data"].get(field)
    except hvac.exceptions.Forbidden:
        raise UsageError(f"{where}: Vault refuses the token", hint="vault login") from None
    except hvac.exceptions.InvalidPath:
        raise UsageError(
            f"{where}: Vault has no such secret", hint="vault kv get, with the same path"
        ) from None
    except hvac.exceptions.VaultError as error:
        raise UsageError(f"{where}: Vault answered {type(error).__name__}") from None
    except requests.exceptions.RequestException as error:
        raise UsageError(
            f"{where}: Vault gave no answer: {type(error).__name__}", hint="look at VAULT_ADDR"
        ) from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UsageError(
            f"{where}: what answered is no key-value store of version 2", hint="look at VAULT_ADDR"
        ) from None
    finally:
        client.adapter.close()
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} has no text in the field {field}")
    return value


def _address(environ: Mapping[str, str], what: str) -> str:
    address = environ.get("VAULT_ADDR", "")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{what}: VAULT_ADDR is no address", hint="export VAULT_ADDR=https://…")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(
            f"{what}: VAULT_ADDR is not https: the token would go out in the clear",
            hint="export VAULT_ADDR=https://…",
        )
    return address


def _token(environ: Mapping[str, str], what: str) -> str:
    token = environ.get("VAULT_TOKEN", "")
    if not token:
        try:
            token = Path("~/.vault-token").expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError, RuntimeError):
            token = ""
    if not token:
        raise UsageError(f"{what}: there is no Vault token", hint="vault login, or VAULT_TOKEN")
    return token
