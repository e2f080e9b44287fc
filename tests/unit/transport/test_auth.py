"""Who may call, with and without keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.datastructures import Headers

from lithium_script.errors import Forbidden, Unauthorized
from lithium_script.settings import AccessSettings, SettingsError
from lithium_script.transport.auth import Access, require

LOCAL = {"Host": "127.0.0.1:8000"}
KEYS = "ada:key-of-ada:read+execute,root:key-of-root:admin"


def _caller(keys: str, headers: dict[str, str], peer: str | None = "127.0.0.1"):
    return Access(AccessSettings(keys, "")).caller(Headers(headers), peer)


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (LOCAL, "127.0.0.1"),
        ({"Host": "localhost:8000"}, "::1"),
        ({"Host": "[::1]:8000"}, "::1"),
        (LOCAL, ""),
        ({"Host": "127.0.0.1"}, "127.8.8.8"),
        (LOCAL, "::ffff:127.0.0.1"),
        ({**LOCAL, "Origin": "http://127.0.0.1:8000"}, "127.0.0.1"),
    ],
)
def test_direct_loopback_request_is_served_without_keys(headers: dict[str, str], peer: str) -> None:
    assert _caller("", headers, peer).may("admin")


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (LOCAL, "192.0.2.1"),
        (LOCAL, "::ffff:192.0.2.1"),
        (LOCAL, None),
        (LOCAL, "unknown"),
        *(
            ({"Host": host}, "127.0.0.1")
            for host in ("[::1", "a@127.0.0.1", "127.0.0.1/x", "127.0.0.1:x", "[", ":", " ")
        ),
        *(
            ({**LOCAL, "Origin": origin}, "127.0.0.1")
            for origin in ("", "http://[::1", "file://127.0.0.1:8000", "127.0.0.1:8000")
        ),
        *(({**LOCAL, name: "x"}, "127.0.0.1") for name in ("x-forwarded-server", "X-Forwarded-Prefix", "forwarded")),
        ({"Host": "rebound.example:8000"}, "127.0.0.1"),
        ({"Host": "127.0.0.1.evil.example"}, "127.0.0.1"),
        ({}, "127.0.0.1"),
        ({**LOCAL, "Origin": "http://evil.example"}, "127.0.0.1"),
        ({**LOCAL, "Origin": "http://127.0.0.1:9000"}, "127.0.0.1"),
        ({**LOCAL, "Origin": "null"}, "127.0.0.1"),
        ({**LOCAL, "X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        ({**LOCAL, "Forwarded": "for=127.0.0.1"}, ""),
        ({**LOCAL, "X-Real-IP": ""}, "127.0.0.1"),
    ],
)
def test_anything_else_is_forbidden_and_told_how_to_configure_keys(headers: dict[str, str], peer: str) -> None:
    with pytest.raises(Forbidden, match="LITHIUM_SCRIPT_API_KEYS"):
        _caller("", headers, peer)


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer key-of-ada"}, {"X-API-Key": "key-of-ada"}])
def test_key_opens_from_anywhere_with_its_scopes_only(headers: dict[str, str]) -> None:
    caller = _caller(KEYS, {"Host": "observatory.example", **headers}, "192.0.2.1")
    assert caller.name == "ada"
    require(caller, "execute")
    with pytest.raises(Forbidden, match="manage"):
        require(caller, "manage")


def test_admin_implies_every_scope() -> None:
    caller = _caller(KEYS, {"X-API-Key": "key-of-root"})
    for scope in ("read", "execute", "manage", "admin"):
        require(caller, scope)


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"Authorization": "Basic key-of-ada"}, {"X-API-Key": "é"}],
)
def test_missing_or_wrong_key_is_unauthorized_also_over_loopback(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        _caller(KEYS, {**LOCAL, **headers})


def test_foreign_page_gets_in_with_no_key_at_all() -> None:
    with pytest.raises(Forbidden, match="another origin"):
        _caller(KEYS, {**LOCAL, "Origin": "https://evil.example", "X-API-Key": "key-of-ada"})


@pytest.mark.parametrize(
    "keys",
    [
        *("ada", "ada:key", "ada:long-enough-key:everything", "ada:short:read", ":long-enough:read", "a:b:c:d", ","),
        *(
            "ada:long-enough:",
            "ada:long-enough:read+",
            "ada:long enough:read",
            "a:long-enough:read,b:long-enough:admin",
        ),
    ],
)
def test_malformed_key_setting_refuses_to_start_and_shows_no_secret(keys: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Access(AccessSettings(keys, ""))
    assert "long-enough" not in caught.value.message


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# observers\nada:key-of-ada:read\n\n")
    access = Access(AccessSettings("", str(path)))
    assert access.caller(Headers({"X-API-Key": "key-of-ada"}), "192.0.2.1").name == "ada"
    with pytest.raises(SettingsError):
        Access(AccessSettings("", str(tmp_path / "absent")))


def test_file_without_a_key_does_not_open_the_service(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# none yet\n")
    with pytest.raises(SettingsError, match="no key"):
        Access(AccessSettings("", str(path)))
