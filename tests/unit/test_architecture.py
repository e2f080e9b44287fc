"""Imports point downward only, read from the syntax trees of the package."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "lithium_script"

COMPONENTS = ("python", "analysis", "shell", "tools", "venvs")
FACADE = ("service", "admission", "tasks", "upkeep")
LAYERS = (
    ("settings", "errors", "model"),
    ("sandbox", "store", "peers"),
    ("engine",),
    COMPONENTS,
    FACADE,
    ("operations",),
    ("transport",),
    ("app",),
    ("cli", "documentation"),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
ONLY_IN = {"flask": ("transport", "app"), "werkzeug": ("transport", "app"), "marshmallow": ("operations",)}
FILES = sorted(PACKAGE.rglob("*.py"))


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Give every module that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _own_parts(path: Path) -> set[str]:
    names = (name.split(".") for name in _imports(path))
    return {name[1] for name in names if name[0] == "lithium_script" and len(name) > 1 and name[1] in LEVEL}


def test_every_part_has_its_place_in_the_order() -> None:
    assert {_part(path) for path in FILES} - {"__init__"} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    part = _part(path)
    for imported in _own_parts(path) - {part}:
        same_facade = part in FACADE and imported in FACADE
        same_values = part in LAYERS[0] and imported in LAYERS[0]
        assert LEVEL[imported] < LEVEL.get(part, -1) or same_facade or same_values, f"{part} imports {imported}"


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_frameworks_stay_in_their_layer(library: str) -> None:
    users = {_part(path) for path in FILES if any(name.split(".")[0] == library for name in _imports(path))}
    assert users <= set(ONLY_IN[library])


@pytest.mark.parametrize("path", [*sorted((PACKAGE / "sandbox").glob("*.py")), PACKAGE / "__init__.py"], ids=str)
def test_code_of_the_fork_servers_needs_nothing_but_the_standard_library(path: Path) -> None:
    foreign = {name for name in _imports(path) if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("lithium_script.sandbox") for name in foreign), foreign


def test_files_stay_short() -> None:
    long = {str(path.relative_to(CHECKOUT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_every_library_that_is_imported_is_declared() -> None:
    config = configparser.ConfigParser()
    config.read(CHECKOUT / "setup.cfg")
    declared = {re.split(r"[^\w-]", line)[0].lower() for line in config["options"]["install_requires"].split()}
    # Werkzeug is part of what Flask is.
    names = {name.split(".")[0] for path in FILES for name in _imports(path)} - sys.stdlib_module_names
    assert {name.lower() for name in names} - {"lithium_script", "werkzeug"} <= declared


def test_every_folder_of_modules_is_a_package_that_gets_installed() -> None:
    assert [str(path.parent) for path in FILES if not (path.parent / "__init__.py").is_file()] == []
