"""Enforces ``allowedImports`` and ``blockedImports`` at the moment of import.

The rule holds for imports that the script's own code makes; what an allowed module imports itself is allowed. It
is a courtesy to the caller, not a boundary: a script that wants to get around it can, and meets the sandbox.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

_LIBRARIES = tuple(
    {os.path.realpath(os.path.dirname(os.__file__)) + os.sep, os.path.dirname(os.__file__) + os.sep}
    | {os.path.realpath(path) + os.sep for path in sys.path if path.endswith("-packages")}
    | {path + os.sep for path in sys.path if path.endswith("-packages")}
)
_MACHINERY = ("<frozen importlib", importlib.__file__)


class ImportGuard:
    """Decides, for top-level module names, what the script itself may import."""

    def __init__(self, allowed: Iterable[str] | None, blocked: Iterable[str]) -> None:
        self._allowed = None if allowed is None else frozenset(allowed)
        self._blocked = frozenset(blocked)

    def install(self) -> None:
        """Stand in front of ``import`` and ``importlib.import_module``, unless everything is allowed."""
        if self._allowed is None and not self._blocked:
            return
        builtins.__import__ = self.checked(builtins.__import__)
        importlib.import_module = self.checked(importlib.import_module)

    def checked(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Put the check in front of an import function."""

        def checked(name: str, *args: Any, **kwargs: Any) -> Any:
            if isinstance(name, str) and not name.startswith(".") and _from_script(sys._getframe(1)):
                self._check(name.partition(".")[0])
            return original(name, *args, **kwargs)

        return checked

    def _check(self, name: str) -> None:
        if name in self._blocked:
            raise ImportError(f"import of '{name}' is blocked (blockedImports)", name=name)
        if self._allowed is not None and name not in self._allowed:
            raise ImportError(f"import of '{name}' is not among the allowed (allowedImports)", name=name)


def _from_script(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename.startswith(_MACHINERY):
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith((*_LIBRARIES, "<frozen"))
