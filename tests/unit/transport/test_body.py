"""What counts as a body: a strict JSON object in UTF-8, and nothing that merely resembles one."""

from __future__ import annotations

import pytest

from lithium_script.errors import InvalidJson
from lithium_script.transport.body import parse_object


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, -2.5e3, true, null, "x"]} \n', {"a": [1, -2500.0, True, None, "x"]}),
        ('{"é": "\\u00e9 \\ud83d\\ude00 \\\\ud800 \\u0000"}'.encode(), {"é": "é 😀 \\ud800 \0"}),
        (b'{"a": 1e308, "b": 1e-999, "c": 1' + b"0" * 40 + b"}", {"a": 1e308, "b": 0.0, "c": 10**40}),
        ('{"a": 1}', {"a": 1}),
    ],
)  # fmt: skip
def test_strict_object_is_read(data: bytes | str, value: object) -> None:
    assert parse_object(data) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"{", r"line 1 column 2"),
        (b'{"a": 1,\n}', r"line 2 column 1"),
        (b'{"a": 1} x', "Extra data"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": "\n"}', "control character"),
        (b'{"a": 01}', "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": [Infinity]}', "Infinity is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "1e999 is too large"),
        (b'{"a": -1.5e+400}', "too large"),
        (b'{"a": ' + b"9" * 400 + b".5}", "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": "\xff"}', "not UTF-8: byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"a": "\\uDE00\\uD83D"}', "lone surrogate"),
        (b'{"\\udc00": 1}', "lone surrogate"),
        (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a":' * 500 + b'"\\ud800"' + b"}" * 500, "lone surrogate"),
    ],
)
def test_anything_else_is_invalid_and_told_why(data: bytes, message: str) -> None:
    with pytest.raises(InvalidJson, match=message):
        parse_object(data)
