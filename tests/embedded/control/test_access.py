"""Who may do what, decided without a server: tokens, collaborators, paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from truegreen.embedded.access import OPERATOR, Access, User
from truegreen.embedded.store import Store
from truegreen.secret import Secret

EVE = User("eve@example.com", False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.sqlite3")
    yield store
    store.close()


@pytest.fixture
def access(store: Store) -> Access:
    access = Access(store, Secret("operator-token"))
    access.add(store.add_app("shared"), EVE.email)
    store.add_app("private")
    return access


@pytest.mark.parametrize("token", [b"", b"undefined", b"null", b"operator-toke", b"\xff\x00"])
def test_a_token_that_nobody_has_is_nobody(access: Access, token: bytes) -> None:
    assert access.user_of(token) is None


def test_a_token_is_its_owner_until_it_is_revoked_and_is_kept_as_a_digest_only(
    access: Access, store: Store, tmp_path: Path
) -> None:
    assert access.user_of(b"operator-token") == OPERATOR
    token, value = access.create_token(EVE.email)
    assert access.user_of(value.reveal().encode()) == EVE
    assert value.reveal() not in str(store.query("SELECT * FROM tokens")[0]["digest"])
    assert access.revoke(token.id)
    assert not access.revoke(token.id)
    assert access.user_of(value.reveal().encode()) is None


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/apps", True), ("POST", "/apps", False), ("GET", "/account", True),
        ("GET", "/apps/shared", True), ("PATCH", "/apps/shared", True),
        ("DELETE", "/apps/shared", False), ("POST", "/apps/shared/builds", True),
        ("GET", "/apps/shared/collaborators", True),
        ("POST", "/apps/shared/collaborators", False), ("GET", "/apps/private", False),
        ("GET", "/apps/nosuch", False),
        ("GET", "//apps/shared", False), ("GET", "/truegreen/status", False),
        ("GET", "/nobody-thought-of-this", False), ("GET", "", False),
    ],
)  # fmt: skip
def test_a_collaborator_may_what_concerns_the_shared_app_and_what_is_not_known_is_refused(
    access: Access, method: str, path: str, allowed: bool
) -> None:
    assert access.may(EVE, method, path) is allowed
    assert access.may(OPERATOR, method, path)


def test_who_is_added_twice_is_one_collaborator_and_none_after_removal(
    access: Access, store: Store
) -> None:
    app = store.app("shared")
    assert app
    assert access.add(app, EVE.email) == access.collaborators(app.id)[0]
    access.remove(access.collaborators(app.id)[0])
    assert not access.shared(app, EVE)
    assert access.shared(app, OPERATOR)
