"""Every error the service raises on purpose; none of them knows about HTTP.

``code`` is the stable name that clients see (the API reference lists them), ``details`` is JSON that helps
to mend the request: for ``invalid_arguments`` a mapping from field to messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ScriptError(Exception):
    """The root: something that was asked for could not be carried out."""

    code = "internal_error"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class InvalidJson(ScriptError):
    """The body is not a strict JSON object."""

    code = "invalid_json"


class InvalidArguments(ScriptError):
    """A field is missing, of the wrong type or out of range; ``details`` maps fields to messages."""

    code = "invalid_arguments"

    @classmethod
    def field(cls, name: str, message: str) -> InvalidArguments:
        """Make the error of one field."""
        return cls(f"{name}: {message}", {name: [message]})


class Unauthorized(ScriptError):
    """No key, or one that is not known."""

    code = "unauthorized"


class Forbidden(ScriptError):
    """The key lacks the scope, or the request comes from where it must not."""

    code = "forbidden"


class SecurityViolation(ScriptError):
    """Validation refused the script, or a path leaves its allowed root."""

    code = "security_violation"


class NotFound(ScriptError):
    """The named thing does not exist."""

    code = "not_found"


class FileNotFound(NotFound):
    """The file to run does not exist."""

    code = "file_not_found"


class ModuleNotFound(NotFound):
    """The module to call into does not exist."""

    code = "module_not_found"


class FunctionNotFound(NotFound):
    """The module, tool or operation has no such function."""

    code = "function_not_found"


class ScriptNotFound(NotFound):
    """No shell script is registered under the name."""

    code = "script_not_found"


class ToolNotFound(NotFound):
    """No tool is registered under the name."""

    code = "tool_not_found"


class EnvironmentNotFound(NotFound):
    """No virtual environment has the name or path."""

    code = "environment_not_found"


class TaskNotFound(NotFound):
    """No task has the id, or it is past its retention."""

    code = "task_not_found"


class SessionNotFound(NotFound):
    """No live session has the id."""

    code = "session_not_found"


class MethodNotAllowed(ScriptError):
    """The path exists, the method does not."""

    code = "method_not_allowed"


class PayloadTooLarge(ScriptError):
    """The request is larger than ``max_request_bytes``."""

    code = "payload_too_large"


class UnsupportedMediaType(ScriptError):
    """The body is of a type that the operation does not take."""

    code = "unsupported_media_type"


class Conflict(ScriptError):
    """The name is taken, or the thing is in use."""

    code = "conflict"


class RateLimited(ScriptError):
    """Too many requests from one client."""

    code = "rate_limited"


class ResourceExhausted(ScriptError):
    """The queue is full; ``retry_after_s`` says when to come back."""

    code = "resource_exhausted"
    retry_after_s = 1


class ServiceUnavailable(ScriptError):
    """Starting, draining, or a required isolation layer is missing."""

    code = "service_unavailable"
    retry_after_s = 2


class InstallFailed(ScriptError):
    """The installer refused; its own explanation is in ``details["output"]``."""

    code = "install_failed"


class OperationTimeout(ScriptError):
    """A management operation outran its limit."""

    code = "timeout"
