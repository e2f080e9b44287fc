"""The form of every response, and the one place where error codes become HTTP statuses."""

from __future__ import annotations

import json
import re
import uuid

from flask import Response

from lithium_script.errors import ResourceExhausted, ScriptError, ServiceUnavailable
from lithium_script.model import Json

STATUS = {
    "invalid_json": 400, "invalid_arguments": 400, "unauthorized": 401, "forbidden": 403, "security_violation": 403,
    "not_found": 404, "file_not_found": 404, "module_not_found": 404, "function_not_found": 404,
    "script_not_found": 404, "tool_not_found": 404, "environment_not_found": 404, "task_not_found": 404,
    "session_not_found": 404, "method_not_allowed": 405, "payload_too_large": 413, "unsupported_media_type": 415,
    "conflict": 409, "rate_limited": 429, "resource_exhausted": 503, "service_unavailable": 503,
    "install_failed": 422, "timeout": 504, "internal_error": 500,
}  # fmt: skip
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_RETRY_AFTER_S = 1


def request_id(incoming: str | None) -> str:
    """Keep a sane id that came with the request, else make one."""
    return incoming if incoming is not None and _SANE_ID.fullmatch(incoming) else uuid.uuid4().hex


def success(identity: str, data: Json, warnings: list[str], status: int = 200) -> Response:
    """Wrap the data of an operation."""
    body: dict[str, Json] = {"success": True, "request_id": identity, "data": data}
    if warnings:
        body["warnings"] = warnings
    return _response(identity, body, status)


def failure(identity: str, error: ScriptError) -> Response:
    """Wrap an error."""
    described = {"code": error.code, "message": error.message, "details": error.details}
    response = _response(identity, {"success": False, "request_id": identity, "error": described}, STATUS[error.code])
    if isinstance(error, ResourceExhausted | ServiceUnavailable):
        response.headers["Retry-After"] = str(error.retry_after_s)
    elif error.code == "rate_limited":
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    elif error.code == "unauthorized":
        response.headers["WWW-Authenticate"] = 'Bearer realm="lithium-script"'
    return response


def _response(identity: str, body: Json, status: int) -> Response:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8, but has an escape.
        data = json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
    headers = {"X-Request-ID": identity, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return Response(data, status, headers, content_type="application/json")
