"""The guard's peers, as far as they install, called at their check alone: inside a request of their
framework that is already there, which favours them. All get today's list of networks; three of them
would fetch it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from guard_race import (
    CALLS,
    NETWORKS,
    TEXTS,
    Call,
    Race,
    asgi,
    environ,
    in_edge,
    no_op,
    no_op_asgi,
    requests,
    scope,
    wsgi,
)


def peers() -> tuple[Race, Race]:
    """Those that check an address, and two that only rewrite it. What is called is the check
    itself, inside a request of its framework that is already there."""
    import aiohttp_remotes
    import django
    import flask
    from cloudflare_ip_filter import CloudflareFilter
    from django.conf import settings
    from django_cloudflare_restrictor.middleware import CloudflareRestrictorMiddleware
    from flask_cloudflare_remote import CloudflareRemote
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
    from werkzeug.middleware.proxy_fix import ProxyFix

    logging.getLogger().handlers.clear()
    settings.configure(CLOUDFLARE_RESTRICTOR_ENABLED=True)
    django.setup()
    restrictor = CloudflareRestrictorMiddleware(lambda request: request)
    restrictor.networks = NETWORKS  # today's list, for everybody
    app = flask.Flask("peers")
    app.config["CF_OVERRIDE_REMOTE"] = False
    remote = CloudflareRemote(app, cf_ips=TEXTS)  # given, or it fetches
    cloudflare = CloudflareFilter()
    cloudflare.cloudflare_networks = NETWORKS
    remotes = aiohttp_remotes.Cloudflare()
    remotes._ip_networks = set(NETWORKS)
    app.test_request_context("/", headers={"CF-Connecting-IP": "198.51.100.7"}).push()
    inside = flask.request._get_current_object()  # type: ignore[attr-defined]

    class Asked:
        """What each of them reads of a request."""

        headers = {"CF-CONNECTING-IP": "198.51.100.7"}  # noqa: RUF012

        def __init__(self, address: str) -> None:
            self.remote = address
            self.META = {"REMOTE_ADDR": address}
            self.environ = {"REMOTE_ADDR": address}

        def clone(self, remote: str) -> Asked:
            return self

    async def handler(request: Any) -> None: ...

    def in_flask(check: Callable[[], Any]) -> Call:
        def call(asked: Asked) -> None:
            inside.remote_addr = asked.remote
            check()

        return call

    def drive(asked: Asked) -> None:
        try:
            remotes.middleware(asked, handler).send(None)
        except StopIteration:
            return
        raise AssertionError("it waited for something")

    def asked() -> list[Asked]:
        return [Asked(in_edge()) for _ in range(CALLS)]

    def called(name: str, distribution: str) -> str:
        return f"{name} {version(distribution)}"

    checking: Race = {
        called("Flask-CloudflareRemote", "flask-cloudflareremote"): (
            in_flask(remote._hook_cloudflare_only), asked),
        called("cloudflare-ip-filter", "cloudflare-ip-filter"): (
            in_flask(lambda: cloudflare.check_ip(log=False)), asked),
        called("django-cloudflare-restrictor", "django-cloudflare-restrictor"): (
            restrictor, asked),
        called("aiohttp-remotes Cloudflare", "aiohttp-remotes"): (drive, asked),
    }  # fmt: skip
    others: Race = {
        called("ProxyFix (no check), werkzeug", "werkzeug"): (
            wsgi(ProxyFix(no_op)), requests(environ, "new")),
        called("uvicorn ProxyHeaders (no check)", "uvicorn"): (
            asgi(ProxyHeadersMiddleware(no_op_asgi, trusted_hosts="*")),
            requests(scope, "new")),
    }  # fmt: skip
    return checking, others
