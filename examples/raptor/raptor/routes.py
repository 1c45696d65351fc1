"""The routes that are always there: what this is, how it is, and who is asking."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from raptor import auth
from truegreen.health import HEADERS

open_to_all = Blueprint("open_to_all", __name__)
signed_in = Blueprint("signed_in", __name__)
signed_in.before_request(auth.require_person)


@open_to_all.get("/")
def what_it_is() -> Response:
    """For whoever finds the address in a log."""
    return jsonify(service="raptor", what="the API service", health="/health")


@open_to_all.get("/health")
def health() -> Response:
    """Which code, release and schema serve. 503 when the database does not answer."""
    status, body = current_app.extensions["raptor.health"].report()
    response = jsonify(body)
    response.status_code = status
    response.headers.update(HEADERS)
    return response


@signed_in.get("/me")
def me() -> Response:
    """Who the token belongs to."""
    person = auth.person()
    return jsonify(id=person.id, email=person.email)
