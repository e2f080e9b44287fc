"""What is enforced is a pure function of what the kernel offers and the operator requires."""

from __future__ import annotations

from lithium_script.sandbox import policy, probe

ALL = dict.fromkeys(policy.LAYERS, "")


def test_every_offered_layer_is_required_by_default() -> None:
    layers = policy.plan(ALL | {"watcher": "/proc is hidden"}, ())
    assert {layer.name: layer.required for layer in layers} == {
        "no_new_privs": True,
        "rlimits": True,
        "namespaces": True,
        "landlock": True,
        "seccomp": True,
        "watcher": False,
    }
    assert policy.missing(layers) == ()


def test_required_layer_that_is_not_offered_is_missing_with_its_reason() -> None:
    layers = policy.plan(ALL | {"watcher": "/proc is hidden"}, ("watcher",))
    assert [(layer.name, layer.reason) for layer in policy.missing(layers)] == [("watcher", "/proc is hidden")]


def test_this_machine_is_probed_by_trying() -> None:
    assert set(probe.offered()) == set(policy.LAYERS) - {"seccomp"}
