"""The only wiring: makes the service and opens its doors."""

from __future__ import annotations

import os
import signal
from typing import Any

from flask import Flask

from lithium_script.model import Cancellation, EventSink, Json
from lithium_script.operations.table import REGISTRY
from lithium_script.service import ScriptService
from lithium_script.settings import Settings
from lithium_script.transport.auth import Access
from lithium_script.transport.http import register_http

EXTENSION = "lithium_script"


def create_app(settings: Settings) -> Flask:
    """Make the WSGI application; the service in ``extensions["lithium_script"]`` is started after fork."""
    app = Flask("lithium_script", static_folder=None)
    service = ScriptService(settings, on_stuck=_replace_worker)

    def run(
        kind: str, payload: dict[str, Any], owner: str, sink: EventSink, cancellation: Cancellation
    ) -> dict[str, Json]:
        return REGISTRY.run_task(service, kind, payload, owner, sink, cancellation)

    service.tasks.runner = run
    app.extensions[EXTENSION] = service
    register_http(app, service, REGISTRY, Access(settings.access))
    return app


def _replace_worker() -> None:
    """Have this worker process end gracefully; gunicorn puts another in its place."""
    os.kill(os.getpid(), signal.SIGTERM)
