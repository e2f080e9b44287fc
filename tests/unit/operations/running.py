"""A real service in this process, reached through Flask's own client: one worker without gunicorn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from lithium_script.app import EXTENSION, create_app
from lithium_script.service import ScriptService
from lithium_script.settings import Settings


@contextmanager
def running_app(folder: Path, **settings: object) -> Iterator[Flask]:
    """Serve for as long as the block lasts; scripts are looked for in ``folder/scripts``."""
    (folder / "scripts").mkdir()
    values = {"DATA_DIR": folder / "data", "FILES_DIR": folder / "scripts", "POOL_SIZE": 2, **settings}
    app = create_app(Settings.from_env({f"LITHIUM_SCRIPT_{name}": str(value) for name, value in values.items()}))
    service: ScriptService = app.extensions[EXTENSION]
    service.start()
    try:
        yield app
    finally:
        service.close()
