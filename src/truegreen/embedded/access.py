"""Who may ask for what: the operator everything, a collaborator the apps that were shared with him.

Rules and rows; HTTP is `api/auth.py`'s and `api/access.py`'s. A collaborator deploys, configures,
scales and runs, as on Heroku; he does not delete the app or share it, and knows of no other.
Tokens are kept as digests only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from truegreen.embedded.records import App, new_id, now
from truegreen.embedded.store import Store
from truegreen.secret import Secret

EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")
OPERATOR_EMAIL = "operator@localhost"
_APP_PATH = re.compile(r"/apps/([^/]+)(/.*)?|/([^/]+?)\.git(/.*)?")
_FOR_ALL = re.compile(r"/account(/rate-limits|/features)?|/sources|/apps|/users/~/apps")
_OWNERS = re.compile(r"/collaborators(/.*)?")


@dataclass(frozen=True)
class User:
    """Who asks."""

    email: str
    operator: bool


OPERATOR = User(OPERATOR_EMAIL, True)


@dataclass(frozen=True)
class Token:
    """A collaborator's token, as it may be shown: without its value."""

    id: str
    email: str
    created_at: str


@dataclass(frozen=True)
class Collaborator:
    id: str
    app_id: str
    email: str
    created_at: str


class Access:
    """``operator``: the platform's own token, which may do everything."""

    def __init__(self, store: Store, operator: Secret) -> None:
        self._store = store
        self._operator = operator.reveal().encode()

    def user_of(self, token: bytes) -> User | None:
        """Who has this token; None for one that nobody has."""
        if not token:
            return None
        if hmac.compare_digest(token, self._operator):
            return OPERATOR
        rows = self._store.query("SELECT email FROM tokens WHERE digest = ?", _digest(token))
        return User(rows[0]["email"], False) if rows else None

    def may(self, user: User, method: str, path: str) -> bool:
        """May ``user`` make this request? ``path`` is decoded. What is not known is refused."""
        if user.operator:
            return True
        if _FOR_ALL.fullmatch(path):
            return path != "/apps" or method in ("GET", "HEAD")
        match = _APP_PATH.fullmatch(path)
        if match is None:
            return False
        app = self._store.app(match[1] or match[3])
        if app is None or not self.shared(app, user):
            return False
        if match[1] and not match[2]:
            return method in ("GET", "HEAD", "PATCH")
        return method in ("GET", "HEAD") or not _OWNERS.fullmatch(match[2] or "")

    def shared(self, app: App, user: User) -> bool:
        return user.operator or any(c.email == user.email for c in self.collaborators(app.id))

    # tokens

    def create_token(self, email: str) -> tuple[Token, Secret]:
        """A new token for ``email``. Its value is told once, here."""
        value = secrets.token_urlsafe(32)
        token = Token(new_id(), email, now())
        self._store.change(
            "INSERT INTO tokens (digest, id, email, created_at) VALUES (?, ?, ?, ?)",
            _digest(value.encode()), token.id, email, token.created_at,
        )  # fmt: skip
        return token, Secret(value)

    def tokens(self) -> list[Token]:
        rows = self._store.query("SELECT id, email, created_at FROM tokens ORDER BY rowid")
        return [Token(**dict(row)) for row in rows]

    def revoke(self, token_id: str) -> bool:
        return self._store.change("DELETE FROM tokens WHERE id = ?", token_id) > 0

    # collaborators

    def collaborators(self, app_id: str) -> list[Collaborator]:
        sql = "SELECT id, app_id, email, created_at FROM collaborators WHERE app_id = ? ORDER BY 3"
        return [Collaborator(**dict(row)) for row in self._store.query(sql, app_id)]

    def add(self, app: App, email: str) -> Collaborator:
        """Who is one already stays one."""
        self._store.change(
            "INSERT INTO collaborators (id, app_id, email, created_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            new_id(), app.id, email, now(),
        )  # fmt: skip
        return next(c for c in self.collaborators(app.id) if c.email == email)

    def remove(self, collaborator: Collaborator) -> None:
        self._store.change("DELETE FROM collaborators WHERE id = ?", collaborator.id)


def _digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
