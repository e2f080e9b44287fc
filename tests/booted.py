"""A real service under gunicorn for tests and benchmarks, and a small client that insists on strict JSON."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lithium_script.settings import Settings

CHECKOUT = Path(__file__).parents[1]
START_S = 60.0
STOP_S = 30.0


@dataclass(frozen=True)
class Reply:
    """One answer: its body is parsed as strict JSON."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """The payload of a success; fails showing the error where there is none."""
        assert self.body.get("success") is True, (self.status, self.body)
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        """The error of a failure; fails showing the answer where there is none."""
        assert self.body.get("success") is False, (self.status, self.body)
        error: dict[str, Any] = self.body["error"]
        return error


class Client:
    """One keep-alive connection, so one worker; for one thread."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a GET."""
        return self.send("GET", path, None, headers or {})

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a POST: bytes go as they are, None sends no body, all else goes as JSON."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, raw, {"Content-Type": "application/json", **(headers or {})})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send any request and read the whole answer."""
        # A request that is refused for its size is answered, and the connection closed, before it is all sent.
        with contextlib.suppress(BrokenPipeError):
            self._connection.request(method, path, body, dict(headers))
        response = self._connection.getresponse()
        text = response.read().decode("utf-8")
        return Reply(response.status, dict(response.getheaders()), json.loads(text, parse_constant=_refuse))

    def execute(self, code: str, **options: Any) -> Any:
        """Run a script; give its outcome."""
        return self.post("/api/python/execute", {"code": code, **options}).data

    def local_port(self) -> int:
        """Tell this end's port, once a request was sent."""
        port: int = self._connection.sock.getsockname()[1]
        return port

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "gunicorn" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        # Ended since it was listed; a zombie counts as that, too.
        return False


class Service:
    """gunicorn with its workers, on a free loopback port and in a data folder of its own."""

    def __init__(self, folder: Path, app: str = "wsgi:app", **settings: object) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.data_dir = Path(str(settings.get("DATA_DIR", folder / "data")))
        self.log = folder / "gunicorn.log"
        own = {"BIND": f"127.0.0.1:{self.port}", "DATA_DIR": self.data_dir, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LITHIUM_SCRIPT_")}
        environment |= {f"LITHIUM_SCRIPT_{name}": str(value) for name, value in own.items()}
        self._worker_count = Settings.from_env(environment).server.workers
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", app]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_ready(self) -> None:
        """Return once every worker says that it is ready; fail with the log where one does not in time."""
        deadline = time.monotonic() + START_S
        while not self._all_ready():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def _all_ready(self) -> bool:
        clients: list[Client] = []
        try:
            if len(self.workers()) < self._worker_count or not self._accepts():
                return False
            clients += self.client_of_each_worker().values()
            return all(client.get("/readyz").status == 200 for client in clients)
        except (OSError, http.client.HTTPException, psutil.NoSuchProcess):
            return False
        finally:
            for client in clients:
                client.close()

    def _accepts(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self) -> Client:
        """Open a connection of its own."""
        return Client(self.port)

    def workers(self) -> list[psutil.Process]:
        """List the worker processes."""
        return [child for child in self.processes(recursive=False) if _is_worker(child)]

    def processes(self, recursive: bool = True) -> list[psutil.Process]:
        """List every process below gunicorn's first; none once that has ended."""
        if self._process.poll() is not None:
            return []
        return list(psutil.Process(self._process.pid).children(recursive=recursive))

    def worker_of(self, client: Client) -> int:
        """Tell the process id of the worker that holds a client's connection."""
        port = client.local_port()
        for worker in self.workers():
            for connection in worker.net_connections("tcp"):
                if connection.raddr and connection.raddr.port == port:
                    return int(worker.pid)
        raise AssertionError(f"no worker holds the connection from port {port}")

    def client_of_each_worker(self) -> dict[int, Client]:
        """Open connections until every worker holds one; give them by the worker's process id."""
        wanted = {worker.pid for worker in self.workers()}
        found: dict[int, Client] = {}
        surplus = []
        deadline = time.monotonic() + START_S
        while wanted - set(found):
            assert time.monotonic() < deadline, (wanted, found)
            client = self.client()
            client.get("/healthz")
            worker = self.worker_of(client)
            if worker in found:
                surplus.append(client)
            else:
                found[worker] = client
        for client in surplus:
            client.close()
        return found

    def stop(self) -> int:
        """Stop gracefully; give gunicorn's exit status, and fail with the log where it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            for process in [*self.processes(), self._process]:
                process.kill()
            self._process.wait()
            raise AssertionError(self.log.read_text()) from error
