"""Field types that take what the contract says and nothing that merely looks like it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

# Names that change how programs load or find things; a script's HOME and TMPDIR are its private directory.
REFUSED_NAMES = re.compile(
    r"(LD_|DYLD_|PYTHON|BASH_|GCONV_|PERL|RUBY|MALLOC_|GLIBC_|OPENSSL_|LUA_|GIT_CONFIG)\w*|PATH|HOME|TMPDIR|ENV"
    r"|IFS|CDPATH|FPATH|ZDOTDIR|INPUTRC|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|GLOBIGNORE|LOCPATH|NLSPATH|HOSTALIASES"
    r"|RES_OPTIONS|LOCALDOMAIN|TZDIR|NIS_PATH|RESOLV_HOST_CONF|GETCONF_DIR|TERMINFO|TERMINFO_DIRS|TERMCAP|VIRTUAL_ENV"
    r"|NODE_OPTIONS|NODE_PATH|CLASSPATH|JAVA_HOME|(_|JDK_)JAVA_OPTIONS|JAVA_TOOL_OPTIONS|TCLLIBPATH"
    r"|GIT_(EXEC_PATH|SSH|SSH_COMMAND|EXTERNAL_DIFF|PAGER|EDITOR|ASKPASS|TEMPLATE_DIR|DIR)"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


Messages = dict[str, str | list[Any] | dict[Any, Any]]


class _Worded:
    """What every field says where nothing, or null, was given."""

    default_error_messages: ClassVar[Messages] = {"required": "required", "null": "must not be null"}


class Whole(_Worded, fields.Field[int]):
    """A whole number: a JSON integer, no text, no fraction, no boolean."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("must be a whole number")
        return value


class Flag(_Worded, fields.Field[bool]):
    """A JSON boolean, nothing that stands for one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class Text(_Worded, fields.Field[str]):
    """A JSON string that can be written as UTF-8; a path or name holds no NUL."""

    def __init__(self, *, nul: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._nul = nul

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be text")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValidationError("holds a lone surrogate, which is no character") from error
        if not self._nul and "\0" in value:
            raise ValidationError("must not hold a NUL character")
        return value


class Choice(_Worded, fields.Field[str]):
    """One of some words, in any case and with or without separators: ``InProcess``, ``in_process``."""

    def __init__(self, words: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        plain = re.sub(r"[-_ ]", "", value).lower() if isinstance(value, str) else None
        if plain not in self._words:
            raise ValidationError(f"must be one of {', '.join(self._words)}")
        return plain


class Object(_Worded, fields.Field[dict[str, Any]]):
    """Any JSON object."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value


class Arguments(_Worded, fields.Field[Any]):
    """Arguments of a function: an object is keywords, a list is positional."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict | list):
            raise ValidationError("must be an object (keywords) or a list (positional)")
        return value


class Environment(_Worded, fields.Field[dict[str, str]]):
    """Environment variables that change nothing about how programs load or find things."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValidationError("must be an object of texts")
        wrong: dict[str, list[str]] = {}
        for name, text in value.items():
            if not _VARIABLE.fullmatch(name):
                wrong[name] = ["is no name of an environment variable"]
            elif REFUSED_NAMES.fullmatch(name):
                wrong[name] = ["changes how programs load or find things, and is refused"]
            elif not isinstance(text, str) or "\0" in text or not _is_utf8(text):
                wrong[name] = ["must be text without NUL"]
        if wrong:
            raise ValidationError(wrong)
        return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def relative_path(path: str) -> None:
    """Refuse a path that is absolute, leaves its directory or names nothing."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or all(part in ("", ".") for part in parts) or path.endswith("/"):
        raise ValidationError("must be a relative path without '..'")
    if len(path.encode("utf-8")) > 1024 or any(len(part.encode("utf-8")) > 255 for part in parts):
        raise ValidationError("is too long for a path")


class Listing(fields.List[Any]):
    """A JSON list whose members are all of one field."""

    # marshmallow declares it for instances, so that it cannot be a ClassVar.
    default_error_messages: Messages = {**_Worded.default_error_messages, "invalid": "must be a list"}  # noqa: RUF012


def at_most(count: int) -> Callable[[list[Any]], None]:
    """Make a validator that refuses longer lists."""

    def check(value: list[Any]) -> None:
        if len(value) > count:
            raise ValidationError(f"must not have more than {count} members")

    return check


def matching(pattern: re.Pattern[str], message: str) -> Callable[[str], None]:
    """Make a validator that refuses with ``message`` what the pattern does not match from end to end."""

    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValidationError(message)

    return check


class InputFileSchema(Schema):
    """A file to write before the script starts."""

    class Meta:
        unknown = EXCLUDE

    path = Text(required=True, validate=relative_path)
    content = Text(nul=True)
    content_base64 = Text(data_key="contentBase64")

    @validates_schema
    def _one_content(self, data: dict[str, Any], **kwargs: Any) -> None:
        if ("content" in data) == ("content_base64" in data):
            raise ValidationError("give either content or contentBase64", "content")
        if "content_base64" in data:
            try:
                base64.b64decode(data["content_base64"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise ValidationError("is not base64", "contentBase64") from error


def module_names(data_key: str) -> Listing:
    """Make a field that is a list of names of modules."""
    name = Text(validate=matching(MODULE, "is no name of a module"))
    return Listing(name, data_key=data_key, load_default=None, allow_none=True)
