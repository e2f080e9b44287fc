"""The operations of ``/api/python``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from lithium_script.errors import Forbidden
from lithium_script.model import Caller, ExecutionRequest, Json, Mode
from lithium_script.operations.fields import Choice, Listing, Object, Text
from lithium_script.operations.options import MODES, AsyncSchema, CodeSchema, FileSchema, FunctionSchema, request_of
from lithium_script.operations.outcome import outcome_to_json
from lithium_script.operations.registry import Call, Operation

if TYPE_CHECKING:
    from lithium_script.service import ScriptService


class NothingSchema(Schema):
    """No arguments."""


class NumpySchema(Schema):
    """One NumPy operation on arrays."""

    operation = Text(required=True)
    arrays = Listing(fields.Raw(allow_none=True), load_default=list)
    params = Object(load_default=dict)
    dtype = Text(load_default=None, allow_none=True)


class ValidateSchema(Schema):
    """Source text, and the mode it is meant for."""

    code = Text(required=True, nul=True)
    mode = Choice(MODES, load_default="auto")


class AnalyzeSchema(Schema):
    """Source text, and its language."""

    code = Text(required=True, nul=True)
    language = Choice(("auto", "python", "shell"), load_default="auto")


def _request(service: ScriptService, arguments: dict[str, Any], caller: Caller) -> ExecutionRequest:
    """Make the request; code that shares the service's process takes the scope admin."""
    request = request_of(arguments, service.settings.execution)
    if request.mode is Mode.INPROCESS and not caller.may("admin"):
        raise Forbidden("mode inprocess by name takes the scope admin")
    return request


def execute(service: ScriptService, call: Call) -> dict[str, Json]:
    """Run code, a file or a function, and wait for its outcome."""
    outcome = service.execute(_request(service, call.arguments, call.caller), call.sink, call.cancellation, call.caller)
    call.warnings.extend(outcome.warnings)
    return outcome_to_json(outcome)


def execute_async(service: ScriptService, call: Call) -> dict[str, Json]:
    """Store a task that will run it; everything that can be refused is refused now."""
    operation, name = _meant(call.arguments)
    payload = {field: value for field, value in call.raw.items() if field in operation.field_names}
    # Loaded as it will be when the task runs, so that what would be refused then is refused now.
    request = _request(service, operation.load(payload), call.caller)
    service.admit(request)
    task = service.tasks.submit(operation.name, name, payload, call.caller.name, request.execution_id)
    return {"taskId": task["taskId"], "status": task["status"]}


def _meant(arguments: dict[str, Any]) -> tuple[Operation, str]:
    """Tell which operation an asynchronous call stands for, and what to call its task."""
    if "code" in arguments:
        return EXECUTE, "code"
    if "path" in arguments:
        return EXECUTE_FILE, arguments["path"]
    return EXECUTE_FUNCTION, f"{arguments['module']}.{arguments['function']}"


def numpy(service: ScriptService, call: Call) -> dict[str, Json]:
    """Apply one NumPy operation to arrays."""
    arguments = call.arguments
    done = service.numeric.evaluate(
        arguments["operation"], arguments["arrays"], arguments["params"], arguments["dtype"]
    )
    return {
        "result": done.result,
        "shape": done.shape,
        "dtype": done.dtype,
        "executionTime": round(done.execution_time_ms, 3),
    }


def validate_code(service: ScriptService, call: Call) -> dict[str, Json]:
    """Judge code for a mode, without running it."""
    code, mode = call.arguments["code"], Mode(call.arguments["mode"])
    analysis = service.analyzer.analyze(code, "python")
    refused = service.analyzer.refusals(analysis, mode)
    answer: dict[str, Any] = {
        "valid": not refused and analysis.syntax_error is None,
        "mode": (analysis.recommended_mode if mode is Mode.AUTO else mode).value,
        "dangers": [danger.to_json() for danger in analysis.dangers],
        "undecided": analysis.undecided,
    }
    safe_version = service.analyzer.safe_version(code) if refused else None
    if safe_version is not None:
        answer["safeVersion"] = safe_version
    return answer


def analyze(service: ScriptService, call: Call) -> dict[str, Json]:
    """Tell what code does, as far as its text shows it."""
    analysis = service.analyzer.analyze(call.arguments["code"], call.arguments["language"])
    return {
        "valid": analysis.valid,
        "language": analysis.language,
        "complexity": analysis.complexity,
        "dangers": [danger.to_json() for danger in analysis.dangers],
        "imports": list(analysis.imports),
        "functions": list(analysis.functions),
        "recommendedMode": analysis.recommended_mode.value,
        "reasons": list(analysis.reasons),
        "executionTime": round(analysis.execution_time_ms, 3),
    }


def statistics(service: ScriptService, call: Call) -> dict[str, Json]:
    """Give counts, latencies and gauges of all workers."""
    return service.statistics()


def reset_statistics(service: ScriptService, call: Call) -> dict[str, Json]:
    """Begin to count anew."""
    service.reset_statistics()
    return {"reset": True}


def _post(name: str, scope: str, request: type[Schema], function: Any, **more: Any) -> Operation:
    path = "/api/python/" + name.removeprefix("python.").replace(".", "/")
    return Operation(name, "POST", path, scope, request, function, **more)


EXECUTE = _post("python.execute", "execute", CodeSchema, execute, command="script.execute")
EXECUTE_FILE = _post("python.executeFile", "execute", FileSchema, execute, command="script.executeFile")
EXECUTE_FUNCTION = _post("python.executeFunction", "execute", FunctionSchema, execute, command="script.executeFunction")
EXECUTE_ASYNC = _post("python.executeAsync", "execute", AsyncSchema, execute_async, status=202)
OPERATIONS = (
    EXECUTE,
    EXECUTE_FILE,
    EXECUTE_FUNCTION,
    EXECUTE_ASYNC,
    _post("python.numpy", "execute", NumpySchema, numpy),
    _post("python.validate", "read", ValidateSchema, validate_code),
    _post("python.analyze", "read", AnalyzeSchema, analyze),
    Operation("python.statistics", "GET", "/api/python/statistics", "read", NothingSchema, statistics),
    _post("python.statistics.reset", "admin", NothingSchema, reset_statistics),
)
