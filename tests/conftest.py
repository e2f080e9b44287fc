"""The service as its clients meet it, booted once for the tests that leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.booted import Client, Service

WORKERS = 3


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service of three workers for the whole session."""
    service = Service(tmp_path_factory.mktemp("service"), WORKERS=WORKERS)
    try:
        service.wait_until_ready()
        yield service
    finally:
        _stop(service)


@pytest.fixture
def fresh_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """A maker of services of one's own, with settings by their name without prefix."""
    made: list[Service] = []

    def make(**settings: object) -> Service:
        service = Service(tmp_path_factory.mktemp("fresh"), **{"WORKERS": WORKERS, **settings})
        made.append(service)
        service.wait_until_ready()
        return service

    yield make
    for service in made:
        _stop(service)


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """A connection to the session's service."""
    client = service.client()
    yield client
    client.close()


def _stop(service: Service) -> None:
    """Stop a service and see that it ended well, with everything that it had started."""
    below = service.processes()
    assert service.stop() == 0, service.log.read_text()
    _, alive = psutil.wait_procs(below, 5)
    assert not alive, alive
    log = service.log.read_text()
    assert "Traceback" not in log, log
