"""The form of responses, and the status of every error."""

from __future__ import annotations

import json

import pytest

from lithium_script import errors
from lithium_script.errors import ResourceExhausted, ScriptError, ServiceUnavailable
from lithium_script.settings import SettingsError
from lithium_script.transport import envelope

# It ends the start of the service: no request can meet it.
_NOT_FOR_CLIENTS = {SettingsError.code}


def _codes(kind: type[ScriptError]) -> set[str]:
    return {kind.code}.union(*(_codes(sub) for sub in kind.__subclasses__()))


def test_every_error_that_a_request_can_meet_has_a_status() -> None:
    assert _codes(errors.ScriptError) - _NOT_FOR_CLIENTS == set(envelope.STATUS)


def test_success_is_compact_strict_json_with_the_id_twice() -> None:
    response = envelope.success("id-1", {"a": ["é", 1]}, [], 202)
    assert response.status_code == 202
    assert response.data == '{"success":true,"request_id":"id-1","data":{"a":["é",1]}}'.encode()
    assert response.headers["X-Request-ID"] == "id-1"
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_warnings_are_there_only_when_there_are_some() -> None:
    assert json.loads(envelope.success("i", {}, ["mind this"]).data)["warnings"] == ["mind this"]
    assert "warnings" not in json.loads(envelope.success("i", {}, []).data)


def test_lone_surrogate_is_escaped_and_not_a_number_is_a_defect() -> None:
    assert json.loads(envelope.success("i", {"a": "é\ud800"}, []).data)["data"] == {"a": "é\ud800"}
    with pytest.raises(ValueError, match="JSON"):
        envelope.success("i", {"a": float("nan")}, [])


def test_failure_has_code_message_details() -> None:
    response = envelope.failure("i", errors.InvalidArguments.field("code", "required"))
    assert response.status_code == 400
    assert json.loads(response.data) == {
        "success": False,
        "request_id": "i",
        "error": {"code": "invalid_arguments", "message": "code: required", "details": {"code": ["required"]}},
    }


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (ResourceExhausted("full"), 503, "Retry-After"),
        (ServiceUnavailable("starting"), 503, "Retry-After"),
        (errors.RateLimited("slow down"), 429, "Retry-After"),
        (errors.Unauthorized("who"), 401, "WWW-Authenticate"),
    ],
)
def test_refusal_that_can_be_mended_says_how(error: ScriptError, status: int, header: str) -> None:
    response = envelope.failure("i", error)
    assert response.status_code == status and response.headers[header]
    assert header == "WWW-Authenticate" or int(response.headers[header]) >= 1


@pytest.mark.parametrize("incoming", ["a", "A-1._z", "x" * 64])
def test_sane_request_id_is_kept(incoming: str) -> None:
    assert envelope.request_id(incoming) == incoming


@pytest.mark.parametrize("incoming", [None, "", "a b", "a\n", "x" * 129, "é", "<b>", "a,b"])
def test_any_other_request_id_is_replaced(incoming: str | None) -> None:
    made = envelope.request_id(incoming)
    assert made != incoming and len(made) == 32 and made != envelope.request_id(incoming)
