"""Field types that take what the contract says and nothing that merely looks like it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

# Names that change how programs load or find things; a script's HOME and TMPDIR are its private directory.
REFUSED_NAMES = re.compile(
    r"(LD_|DYLD_|PYTHON|BASH_|GCONV_|PERL5|RUBY|NODE_|JAVA_|MALLOC_|GLIBC_)\w*|PATH|HOME|TMPDIR|ENV|IFS|CDPATH|SHELLOPTS"
    r"|BASHOPTS|PS4|PROMPT_COMMAND|GLOBIGNORE|LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|TZDIR|NIS_PATH"
    r"|RESOLV_HOST_CONF|GETCONF_DIR|TERMINFO|TERMINFO_DIRS|TERMCAP|CLASSPATH|VIRTUAL_ENV"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class Whole(fields.Field[int]):
    """A whole number: a JSON integer, no text, no fraction, no boolean."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise ValidationError("must be a whole number")
        return value


class Flag(fields.Field[bool]):
    """A JSON boolean, nothing that stands for one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class Text(fields.Field[str]):
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


class Choice(fields.Field[str]):
    """One of some words, in any case and with or without separators: ``InProcess``, ``in_process``."""

    def __init__(self, words: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        plain = re.sub(r"[-_ ]", "", value).lower() if isinstance(value, str) else None
        if plain not in self._words:
            raise ValidationError(f"must be one of {', '.join(self._words)}")
        return plain


class Object(fields.Field[dict[str, Any]]):
    """Any JSON object."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value


class Arguments(fields.Field[Any]):
    """Arguments of a function: an object is keywords, a list is positional."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict | list):
            raise ValidationError("must be an object (keywords) or a list (positional)")
        return value


class Environment(fields.Field[dict[str, str]]):
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


class InputFileSchema(Schema):
    """A file to write before the script starts."""

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


def module_names(data_key: str) -> fields.List[str]:
    """Make a field that is a list of names of modules."""
    name = Text(validate=validate.Regexp(MODULE.pattern + r"\Z", error="is no name of a module"))
    return fields.List(name, data_key=data_key, load_default=None, allow_none=True)
