"""Decides who may call: loopback rules while no keys are configured, keys with scopes once there are."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from lithium_script.errors import Forbidden, Unauthorized
from lithium_script.model import LOCAL, Caller
from lithium_script.settings import AccessSettings, SettingsError

SCOPES = frozenset({"read", "execute", "manage", "admin"})
MIN_KEY_LENGTH = 8
_ENTRY = re.compile(r"([A-Za-z0-9._-]{1,64}):([!-~]+):([a-z+]+)")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/@?#\s]+)(:\d{1,5})?")
_HINT = "without API keys only direct loopback requests are served: configure LITHIUM_SCRIPT_API_KEYS"


class Access:
    """The rules in force; thread-safe. A malformed key setting raises ``SettingsError`` here, at start."""

    def __init__(self, settings: AccessSettings) -> None:
        entries = [entry.strip() for entry in settings.api_keys.split(",") if entry.strip()]
        if settings.api_keys_file:
            entries += _lines(Path(settings.api_keys_file))
        # Only digests are kept, compared in constant time.
        self._keys = [_parse(entry) for entry in entries]
        if not entries and (settings.api_keys or settings.api_keys_file):
            raise SettingsError("LITHIUM_SCRIPT_API_KEYS: the setting holds no key; without keys leave it empty")
        if len({digest for digest, _ in self._keys}) != len(self._keys):
            raise SettingsError("LITHIUM_SCRIPT_API_KEYS: two entries have the same key")

    def caller(self, headers: Headers, peer: str | None) -> Caller:
        """Tell who calls; raise ``Unauthorized`` or ``Forbidden``. ``peer`` is the address, empty for a Unix socket."""
        if not self._keys:
            _check_local(headers, peer)
            return LOCAL
        _check_origin(headers)
        key = _presented(headers)
        if key is None:
            raise Unauthorized("an API key is needed: Authorization: Bearer <key>, or X-API-Key")
        digest = _digest(key)
        found = None
        for known, caller in self._keys:
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise Unauthorized("the API key is not known")
        return found


def require(caller: Caller, scope: str) -> None:
    """Raise ``Forbidden`` unless the caller holds the scope."""
    if not caller.may(scope):
        raise Forbidden(f"the key '{caller.name}' lacks the scope '{scope}'", {"scope": [f"needs {scope}"]})


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"LITHIUM_SCRIPT_API_KEYS_FILE: cannot be read: {type(error).__name__}") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _parse(entry: str) -> tuple[bytes, Caller]:
    # The entry holds a secret: no message shows it.
    match = _ENTRY.fullmatch(entry)
    scopes = frozenset(match[3].split("+")) if match else frozenset()
    if match is None or not scopes <= SCOPES:
        allowed = "+".join(sorted(SCOPES))
        raise SettingsError(f"LITHIUM_SCRIPT_API_KEYS: an entry is not name:key:scope+scope with scopes of {allowed}")
    if len(match[2]) < MIN_KEY_LENGTH:
        raise SettingsError(f"LITHIUM_SCRIPT_API_KEYS: the key '{match[1]}' has under {MIN_KEY_LENGTH} characters")
    return _digest(match[2]), Caller(match[1], scopes)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _presented(headers: Headers) -> str | None:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("X-API-Key")


def _check_local(headers: Headers, peer: str | None) -> None:
    for name in headers.keys():  # noqa: SIM118 # iterating the headers themselves gives pairs
        lower = name.lower()
        if lower in ("forwarded", "x-real-ip") or lower.startswith("x-forwarded-"):
            raise Forbidden(f"the request was forwarded ({name}); {_HINT}")
    if peer is None or (peer and not _is_loopback(peer)):
        raise Forbidden(f"the request does not come over loopback; {_HINT}")
    host = _HOST.fullmatch(headers.get("Host", ""))
    if host is None or not _is_loopback(host[1].strip("[]")):
        raise Forbidden(f"the Host is not a loopback name; {_HINT}")
    _check_origin(headers, f"; {_HINT}")


def _check_origin(headers: Headers, hint: str = "") -> None:
    """Refuse what a foreign page sent: the Origin must name the same host and port as Host."""
    origin = headers.get("Origin")
    if origin is None:
        return
    try:
        parts = urlsplit(origin)
        same = parts.scheme in ("http", "https") and parts.netloc.lower() == headers.get("Host", "").lower()
    except ValueError:
        same = False
    if not same:
        raise Forbidden(f"the request comes from a page of another origin than its Host{hint}")


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    # A socket that listens on both families shows IPv4 peers as ::ffff:127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
