"""Health: what a service says of itself, in brief to everybody and in detail behind a token.

``report`` makes the documents, ``wsgi``, ``asgi`` and ``flask`` serve them. Standard library only.
"""

from truegreen.health.report import (
    HEADERS,
    TOKEN_HEADER,
    TOKEN_VARIABLE,
    Health,
    SchemaState,
)

__all__ = ["HEADERS", "TOKEN_HEADER", "TOKEN_VARIABLE", "Health", "SchemaState"]
