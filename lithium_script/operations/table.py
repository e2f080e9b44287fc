"""Every operation there is."""

from __future__ import annotations

from lithium_script.operations import isolated, python, tasks
from lithium_script.operations.registry import Registry

REGISTRY = Registry((*python.OPERATIONS, *tasks.OPERATIONS, *isolated.OPERATIONS))
