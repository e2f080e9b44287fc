"""How gunicorn serves: threads in several worker processes, each with a service of its own.

The service is started after the fork and closed on the worker's exit: it holds threads, sockets and processes,
none of which survive a fork.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lithium_script.settings import Settings

_settings = Settings.from_env()

bind = _settings.server.bind
workers = _settings.server.workers
worker_class = "gthread"
threads = _settings.server.threads
# Beside its threads a worker holds idle connections; gunicorn counts both together.
worker_connections = max(1000, 2 * threads)
preload_app = False
timeout = 30
# The service gives running work 15 s; the rest is for ending what did not use them.
graceful_timeout = 20
keepalive = 75
accesslog = None
# It would be a file outside the data folder, and a way in that the API knows nothing of.
control_socket_disable = True
# The heartbeat is a file whose times are changed every second: on a disk that can block for longer than `timeout`.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None


def post_worker_init(worker: Any) -> None:
    """Start the service of this worker; the application has just been loaded in it."""
    worker.wsgi.extensions["lithium_script"].start()


def worker_exit(server: Any, worker: Any) -> None:
    """Close the service of this worker, unless it died before it had one."""
    app = getattr(worker, "wsgi", None)
    service = getattr(app, "extensions", {}).get("lithium_script")
    if service is not None:
        service.close()
