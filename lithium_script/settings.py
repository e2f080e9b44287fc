"""The settings of the service, and the one table that defines them.

Only ``Settings.from_env`` reads the environment, once, at start. An empty value means the default; a value
that cannot be used raises ``SettingsError`` naming the variable and what it takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lithium_script.errors import ScriptError

PREFIX = "LITHIUM_SCRIPT_"


class SettingsError(ScriptError):
    """A setting cannot be used; the service refuses to start."""

    code = "invalid_settings"


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"must be between {low} and {high}")
        return number

    return parse


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: the variable without its prefix, its default as text, parser and meaning."""

    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False


TABLE = (
    Setting("BIND", "127.0.0.1:8000", str, "what gunicorn listens on: `host:port` or `unix:/path`"),
    Setting("WORKERS", "2", _whole_number(1, 64), "gunicorn worker processes"),
    Setting("THREADS", "32", _whole_number(8, 512), "threads in each worker process"),
    Setting("DATA_DIR", "var", _path, "the only folder the service writes to: database, environments, run directories"),
    Setting("DATABASE_URL", "", str, "any SQLAlchemy URL; empty: SQLite in the data folder", secret=True),
    Setting("FILES_DIR", "scripts", _path, "allowed root of `executeFile` and `executeFunction`"),
    Setting("TOOLS_DIR", "tools", _path, "where tools are discovered"),
    Setting("POOL_SIZE", str(os.cpu_count() or 1), _whole_number(1, 256), "executions at once in each worker process"),
    Setting("MAX_QUEUED", "1000", _whole_number(0, 1_000_000), "waiting executions in each worker process"),
    Setting("MAX_TIMEOUT_MS", "3600000", _whole_number(1, 86_400_000), "ceiling of `timeout`, in milliseconds"),
    Setting("MAX_MEMORY_MB", "4096", _whole_number(16, 1 << 20), "ceiling of `maxMemoryMB`, in MiB"),
    Setting("MAX_REQUEST_BYTES", str(16 << 20), _whole_number(1024, 1 << 31), "largest request body, in bytes"),
    Setting("MAX_OUTPUT_BYTES", str(1 << 20), _whole_number(1024, 1 << 30), "kept of each output stream, in bytes"),
    Setting("MAX_RESULT_BYTES", str(16 << 20), _whole_number(1024, 1 << 30), "largest result, in bytes of JSON"),
    Setting("API_KEYS", "", str, "`name:key:scope+scope` entries, comma-separated", secret=True),
    Setting("API_KEYS_FILE", "", str, "a file of such entries, one a line"),
    Setting("SANDBOX_REQUIRE", "", _words, "layers without which `isolated` refuses to run; empty: every one offered"),
    Setting("TASK_RETENTION_HOURS", "168", _whole_number(1, 87_600), "how long finished tasks are kept, in hours"),
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How gunicorn serves."""

    bind: str
    workers: int
    threads: int
    max_request_bytes: int


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where state lives, and how long."""

    data_dir: Path
    database_url: str
    task_retention_hours: int


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """What executions may use, and where scripts come from."""

    files_dir: Path
    tools_dir: Path
    pool_size: int
    max_queued: int
    max_timeout_ms: int
    max_memory_mb: int
    max_output_bytes: int
    max_result_bytes: int
    sandbox_require: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may call: the text of the keys as given; ``transport.auth`` reads it."""

    api_keys: str
    api_keys_file: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force, one part for each component that needs some."""

    server: ServerSettings
    store: StoreSettings
    execution: ExecutionSettings
    access: AccessSettings

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the table's variables; raise ``SettingsError`` for one that cannot be used."""
        value = _values(os.environ if environ is None else environ)
        data_dir: Path = value["DATA_DIR"]
        url = value["DATABASE_URL"] or f"sqlite:///{data_dir / 'lithium-script.sqlite3'}"
        return cls(
            ServerSettings(value["BIND"], value["WORKERS"], value["THREADS"], value["MAX_REQUEST_BYTES"]),
            StoreSettings(data_dir, url, value["TASK_RETENTION_HOURS"]),
            ExecutionSettings(
                files_dir=value["FILES_DIR"],
                tools_dir=value["TOOLS_DIR"],
                pool_size=value["POOL_SIZE"],
                max_queued=value["MAX_QUEUED"],
                max_timeout_ms=value["MAX_TIMEOUT_MS"],
                max_memory_mb=value["MAX_MEMORY_MB"],
                max_output_bytes=value["MAX_OUTPUT_BYTES"],
                max_result_bytes=value["MAX_RESULT_BYTES"],
                sandbox_require=value["SANDBOX_REQUIRE"],
            ),
            AccessSettings(value["API_KEYS"], value["API_KEYS_FILE"]),
        )


def _values(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in TABLE:
        text = environ.get(PREFIX + setting.name, "").strip() or setting.default
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            shown = "the value" if setting.secret else repr(text)
            raise SettingsError(f"{PREFIX}{setting.name}: {shown} cannot be used: {error}") from error
    return values
