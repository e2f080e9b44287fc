"""What an isolated execution must be kept from, as a plain value, and what of it a given kernel can enforce.

``plan`` is a pure function: it is tested without a kernel. Trying what the kernel offers is ``probe``'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAYERS = ("no_new_privs", "rlimits", "namespaces", "landlock", "seccomp", "watcher")
"""Every layer there is, in the order in which a script meets them."""


@dataclass(frozen=True)
class Layer:
    """One layer on one machine: whether it holds, why not if it does not, and whether it must."""

    name: str
    active: bool
    reason: str
    required: bool

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "active": self.active, "reason": self.reason, "required": self.required}


def plan(offered: Mapping[str, str], required: tuple[str, ...]) -> tuple[Layer, ...]:
    """Combine what the kernel offers (name -> "" or why not) with what the operator requires.

    Requiring nothing by name requires every layer that the kernel offers.
    """
    return tuple(
        Layer(name, offered[name] == "", offered[name], name in required if required else offered[name] == "")
        for name in LAYERS
    )


def missing(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Give the layers that are required and do not hold: while there are any, nothing runs isolated."""
    return tuple(layer for layer in layers if layer.required and not layer.active)
