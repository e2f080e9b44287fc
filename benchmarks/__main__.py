"""Serves with the defaults of `make run` on a free port and prints a table of times and ratios."""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import Timing, interpreters, requests
from tests.booted import Service

COUNT = 200
STARTS = 40
CLIENTS = 8
AT_ONCE = 2

PLAIN = "result = 1 + 1"
NUMPY = "import numpy as np\nresult = int(np.arange(10).sum())"
EXECUTE = "/api/python/execute"


def _body(code: str, mode: str) -> dict[str, Any]:
    return {"code": code, "mode": mode}


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "no-op route": ("/noop/", _body(PLAIN, "auto")),
    "inprocess": (EXECUTE, _body(PLAIN, "auto")),
    "pooled": (EXECUTE, _body(PLAIN, "pooled")),
    "pooled, NumPy": (EXECUTE, _body(NUMPY, "pooled")),
    "isolated": (EXECUTE, _body(PLAIN, "isolated")),
    "isolated, NumPy": (EXECUTE, _body(NUMPY, "isolated")),
}
STARTED = {"python -c pass": "pass", "python -c 'import numpy'": "import numpy"}


def measure() -> dict[str, Timing]:
    """Measure everything, the service first."""
    timings = {}
    with tempfile.TemporaryDirectory(prefix="lithium-script-bench-") as folder:
        service = Service(Path(folder), app="benchmarks.app:app")
        try:
            service.wait_until_ready()
            for name, (path, body) in CALLS.items():
                timings[name] = requests(service.port, path, body, COUNT, CLIENTS)
        finally:
            service.stop()
    for name, code in STARTED.items():
        timings[name] = interpreters(code, STARTS, AT_ONCE)
    return timings


def report(timings: dict[str, Timing]) -> str:
    """Lay the times out as a table, each call beside what it replaces."""
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    lines = [
        f"{machine}; {COUNT} requests each, {CLIENTS} at once; {STARTS} interpreters each, {AT_ONCE} at once",
        "",
        f"{'':26}{'p50 ms':>9}{'p99 ms':>9}{'calls/s':>10}   compared with",
    ]
    for name, timing in timings.items():
        line = f"{name:26}{timing.p50_ms:9.2f}{timing.p99_ms:9.2f}{timing.per_second:10.1f}"
        lines.append(f"{line}   {_comparison(name, timing, timings)}".rstrip())
    return "\n".join(lines)


def _comparison(name: str, timing: Timing, timings: dict[str, Timing]) -> str:
    if name == "inprocess":
        return f"no-op route: {timing.p50_ms / timings['no-op route'].p50_ms:.2f} times its latency (p50)"
    if name.startswith(("pooled", "isolated")):
        base = "python -c 'import numpy'" if "NumPy" in name else "python -c pass"
        target = 25 if "NumPy" in name else 3
        ratio = timing.per_second / timings[base].per_second
        faster = timings[base].p50_ms / timing.p50_ms
        return f"{base}: {ratio:.1f} times its throughput (aim: {target}), {faster:.1f} times as fast (p50)"
    return ""


if __name__ == "__main__":
    print(report(measure()))
