"""The HTTP door: one route for each operation, made from its record."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed
from werkzeug.exceptions import NotFound as WerkzeugNotFound

from lithium_script.errors import (
    InvalidArguments,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ScriptError,
    ServiceUnavailable,
)
from lithium_script.model import Json
from lithium_script.operations.registry import MAX_SHOWN, MAX_WARNINGS, Operation, Registry
from lithium_script.service import ScriptService
from lithium_script.transport import envelope
from lithium_script.transport.auth import Access, require
from lithium_script.transport.body import read_object

log = logging.getLogger(__name__)


def register_http(app: Flask, service: ScriptService, registry: Registry, access: Access) -> None:
    """Add every operation's route, the health checks and the error handlers to an application."""
    # Otherwise `//` is answered with a redirect, which is no envelope.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = service.settings.server.max_request_bytes
    app.before_request(_note_request_id)
    app.register_error_handler(Exception, _on_error)
    for operation in registry.operations:
        app.add_url_rule(
            operation.path,
            operation.name,
            _view(operation, service, access),
            methods=[operation.method],
            provide_automatic_options=False,
        )
    health = {
        "healthz": lambda: envelope.success(g.request_id, {"status": "ok"}, []),
        "readyz": lambda: _ready(service),
    }
    for name, view in health.items():
        app.add_url_rule(f"/{name}", name, view, provide_automatic_options=False)


def _note_request_id() -> None:
    g.request_id = envelope.request_id(request.headers.get("X-Request-ID"))


def _view(operation: Operation, service: ScriptService, access: Access) -> Callable[..., Response]:
    def view(**path_arguments: str) -> Response:
        caller = access.caller(request.headers, request.environ.get("REMOTE_ADDR"))
        require(caller, operation.scope)
        raw = _arguments(request, operation, path_arguments)
        data, warnings = operation.call(service, raw, caller)
        if operation.method != "GET":
            warnings += [f"query parameter '{name[:MAX_SHOWN]}' ignored" for name in list(request.args)[:MAX_WARNINGS]]
        return envelope.success(g.request_id, data, warnings, operation.status)

    return view


def _arguments(incoming: Request, operation: Operation, path_arguments: dict[str, str]) -> dict[str, Json]:
    if operation.method == "GET":
        return {**incoming.args.to_dict(), **path_arguments}
    return {**read_object(incoming), **path_arguments}


def _ready(service: ScriptService) -> Response:
    states = service.readiness()
    wrong = {name: [state] for name, state in states.items() if state != "ok"}
    if wrong:
        return envelope.failure(g.request_id, ServiceUnavailable(f"not ready: {', '.join(wrong)}", wrong))
    return envelope.success(g.request_id, {"status": "ready", "checks": states}, [])


def _on_error(error: Exception) -> Response:
    identity = g.get("request_id") or envelope.request_id(None)
    if isinstance(error, ScriptError):
        if error.code == "internal_error":
            log.error("request %s failed: %s", identity, error.message, exc_info=error)
        return envelope.failure(identity, error)
    if isinstance(error, WerkzeugMethodNotAllowed):
        allowed = sorted(error.valid_methods or ())
        response = envelope.failure(identity, MethodNotAllowed(f"{request.path} takes {', '.join(allowed)}"))
        response.headers["Allow"] = ", ".join(allowed)
        return response
    if isinstance(error, RequestEntityTooLarge):
        return envelope.failure(identity, PayloadTooLarge("the request is too large"))
    if isinstance(error, WerkzeugNotFound):
        return envelope.failure(identity, NotFound(f"there is nothing at {request.path}"))
    if isinstance(error, HTTPException) and error.code is not None and 400 <= error.code < 500:
        return envelope.failure(identity, InvalidArguments(f"the request cannot be read: {error.description}"))
    log.error("request %s failed", identity, exc_info=error)
    return envelope.failure(identity, ScriptError("a defect of the service; its log tells more under the request id"))
