"""What runs is seen and ended from every worker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.booted import Client, Service

STUBBORN = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('on')\ntime.sleep(60)"
POLITE = """
import time
try:
    open(args['marker'], 'w').close()
    time.sleep(60)
except KeyboardInterrupt:
    print('cleaned')
"""


@contextmanager
def _running(
    service: Service, code: str, name: str, mode: str = "isolated", **args: str
) -> Iterator[dict[str, Any]]:
    """Run a script on a thread and a connection of its own; its outcome is there after the block."""
    outcome: dict[str, Any] = {}

    def execute() -> None:
        client = service.client()
        outcome.update(client.execute(code, mode=mode, executionId=name, args=args))
        client.close()

    thread = threading.Thread(target=execute)
    thread.start()
    yield outcome
    thread.join()


def _seen(client: Client, name: str) -> dict[str, Any]:
    """Wait until an execution is listed with its process."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for one in client.get("/isolated/status").data["executions"]:
            if one["executionId"] == name and one["processId"] is not None:
                return dict(one)
        time.sleep(0.02)
    raise AssertionError(f"{name} never ran")


@pytest.mark.parametrize("mode", ["isolated", "pooled"])
def test_execution_is_seen_and_killed_from_every_worker(service: Service, mode: str) -> None:
    for number, (worker, client) in enumerate(service.client_of_each_worker().items()):
        name = f"{mode}-{worker}-{number}"
        with _running(service, STUBBORN, name, mode) as outcome:
            one = _seen(client, name)
            assert psutil.Process(one["processId"]).uids().real == os.getuid()
            assert one["processId"] in client.get("/isolated/processId").data["processIds"]
            usage = client.get("/isolated/memoryUsage").data
            assert usage["available"] and usage["bytes"] > 1 << 20
            assert client.post("/isolated/kill", {"executionId": name}).data == {"killed": True, "executions": [name]}
        assert (outcome["error"]["code"], outcome["stdout"]) == ("killed", "on\n")
        client.close()


def test_cancel_lets_the_script_clean_up(service: Service, tmp_path: Path) -> None:
    client = service.client()
    marker = tmp_path / "started"
    with _running(service, POLITE, "polite", "pooled", marker=str(marker)) as outcome:
        deadline = time.monotonic() + 20
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert client.post("/isolated/cancel", {"executionId": "polite"}).data["executions"] == ["polite"]
    assert (outcome["error"]["code"], outcome["stdout"]) == ("cancelled", "cleaned\n")
    client.close()


def test_nothing_to_end_is_false_and_no_error(service: Service) -> None:
    client = service.client()
    assert client.post("/isolated/cancel", {"executionId": "none"}).data == {"cancelled": False, "executions": []}
    assert client.post("/isolated/kill", {"executionId": "none"}).data == {"killed": False, "executions": []}
    client.close()


def test_status_shows_every_layer(service: Service) -> None:
    client = service.client()
    layers = client.get("/isolated/status").data["sandbox"]["layers"]
    assert {layer["name"] for layer in layers} >= {"namespaces", "landlock", "seccomp", "rlimits"}
    assert all(layer["active"] or layer["reason"] for layer in layers)
    assert client.get("/isolated/pythonVersion").data["implementation"] == "CPython"
    client.close()
