"""Small programs end exactly as they must, in each kind of process."""

from __future__ import annotations

import pytest

from tests.booted import Client
from tests.functional.program import Program
from tests.functional.program_endings import CONCURRENCY, FAILURES, LIMITS
from tests.functional.program_results import ENCODINGS, VALUES

PROGRAMS = [*ENCODINGS, *VALUES, *CONCURRENCY, *FAILURES, *LIMITS]


@pytest.mark.parametrize("mode", ["pooled", "isolated"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program_ends_as_it_must(client: Client, program: Program, mode: str) -> None:
    # Not validated: what analysis thinks of a program must not change what the program does.
    outcome = client.execute(program.code, mode=mode, validate=False, **program.options)
    assert program.differences(outcome) == {}, outcome | {"stdout": outcome["stdout"][:1000]}


@pytest.mark.parametrize("mode", ["inprocess", "auto"])
@pytest.mark.parametrize("program", [p for p in ENCODINGS if "import" not in p.code], ids=lambda program: program.name)
def test_results_are_encoded_alike_wherever_they_come_from(client: Client, program: Program, mode: str) -> None:
    outcome = client.execute(program.code, mode=mode, validate=False, **program.options)
    assert program.differences(outcome) == {}, outcome
