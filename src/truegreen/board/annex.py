"""What may stand beside the board's own pages, made elsewhere. Only the form of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.routing import BaseRoute


class Link(NamedTuple):
    """An address of this board, and what stands on the link to it."""

    address: str
    title: str


@dataclass(frozen=True, slots=True)
class Annex:
    """Addresses beside the board's own pages, made elsewhere. ``posts``: those of their paths that
    take POST; one that ends in ``/`` stands for all below it. ``any_host``: those of ``posts`` that
    are answered whatever the Host header says, because each request proves who it is from.
    ``living``: entered while the board serves. ``links``: where a page, given its document, leads
    to; asked with ``{"page": ""}`` for what stands under every page.

    A route finds the board's ``answer(request, template, document, status, **more)`` in
    ``request.app.state``.
    """

    routes: tuple[BaseRoute, ...]
    posts: tuple[str, ...] = ()
    any_host: tuple[str, ...] = ()
    living: Callable[[], contextlib.AbstractAsyncContextManager[None]] | None = None
    links: Callable[[Mapping[str, Any]], Sequence[Link]] = lambda _: ()
