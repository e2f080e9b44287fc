"""One real service for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lithium_script.app import EXTENSION
from lithium_script.service import ScriptService
from tests.unit.operations.running import running_app


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptService]:
    with running_app(tmp_path_factory.mktemp("service")) as app:
        yield app.extensions[EXTENSION]
