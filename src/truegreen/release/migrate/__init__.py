"""The migrate phase: Alembic up to the code's one head, one release command at a time.

``phase`` is the release command's side. ``upgrade`` runs in a process of its own, in the service's
environment, with ``session_lock`` and ``patience``; ``revision_files`` says which file a broken
revision graph is about. Standard library, and what the service itself brings (Alembic, SQLAlchemy).
"""

from truegreen.release.migrate.phase import Say, migrate

__all__ = ["Say", "migrate"]
