"""Puts an execution request into the words that the child understands: a JSON object, and nothing but."""

from __future__ import annotations

import base64
import math
from typing import Any

from lithium_script.engine.forkserver import script_environment
from lithium_script.model import Code, ExecutionRequest, Function, ScriptFile

# A backstop behind the watcher, far above what NumPy and its threads reserve without using.
ADDRESS_SLACK_BYTES = 8 << 30
MAX_OPEN_FILES = 1024


def job_for(request: ExecutionRequest, directory: str, home: str, isolated: bool) -> dict[str, Any]:
    """Describe the work: ``directory`` is where the script starts, ``home`` its private folder."""
    limits = request.limits
    job: dict[str, Any] = {
        "args": request.args,
        "directory": directory,
        "env": {**script_environment(), "HOME": home, "TMPDIR": home, **request.env},
        "files": [
            {"path": file.path, "content": base64.b64encode(file.content).decode("ascii")} for file in request.files
        ],
        "allowedImports": None if request.allowed_imports is None else list(request.allowed_imports),
        "blockedImports": list(request.blocked_imports),
        "maxResultBytes": limits.max_result_bytes,
    }
    if limits.cpu_timeout_ms is not None:
        # The kernel counts whole seconds of each process; the watcher counts the tree, and finer.
        job["cpuSeconds"] = math.ceil(limits.cpu_timeout_ms / 1000) + 1
    if isolated:
        job["maxFileBytes"] = limits.max_file_size_mb << 20
        job["maxAddressBytes"] = (limits.max_memory_mb << 20) + ADDRESS_SLACK_BYTES
        job["maxOpenFiles"] = MAX_OPEN_FILES
    return job | _work(request.source)


def _work(source: Code | ScriptFile | Function) -> dict[str, Any]:
    match source:
        case Code(text, filename):
            return {"kind": "code", "text": text, "filename": filename}
        case ScriptFile(path):
            return {"kind": "file", "path": path}
        case Function(module, name, search_path):
            return {"kind": "function", "module": module, "function": name, "searchPath": list(search_path)}
