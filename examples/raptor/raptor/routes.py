"""The routes that are always there: what this is, and who is asking. /health is health.py's."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from raptor import auth

open_to_all = Blueprint("open_to_all", __name__)
signed_in = Blueprint("signed_in", __name__)
signed_in.before_request(auth.require_person)


@open_to_all.get("/")
def what_it_is() -> Response:
    """For whoever finds the address in a log."""
    return jsonify(service="raptor", what="the API service", health="/health")


@signed_in.get("/me")
def me() -> Response:
    """Who the token belongs to."""
    person = auth.person()
    return jsonify(id=person.id, email=person.email)
