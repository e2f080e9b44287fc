"""Frames survive any cutting, and nothing that is no frame gets through."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithium_script.sandbox import protocol

MESSAGES = [{"a": 1}, {"text": "é" * 100}, {}]


@given(st.lists(st.integers(1, 40), max_size=40))
def test_frames_are_found_however_the_stream_is_cut(cuts: list[int]) -> None:
    data = b"".join(map(protocol.pack, MESSAGES))
    reader = protocol.FrameReader(10_000)
    found = []
    for cut in cuts:
        found += reader.feed(data[:cut])
        data = data[cut:]
    assert found + reader.feed(data) == MESSAGES


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"null", b'{"a": NaN}', b'{"a": Infinity}', b"\xff", b"[" * 100_000]
)
def test_body_that_is_no_strict_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.parse(body)


def test_oversized_frame_is_refused_before_it_is_read() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(protocol.HEADER.pack(1 << 31))
        with pytest.raises(protocol.ProtocolError):
            protocol.receive(near, 1 << 20)
        with pytest.raises(protocol.ProtocolError):
            protocol.FrameReader(1 << 20).feed(protocol.HEADER.pack(1 << 31))


def test_end_of_stream_is_none_between_frames_and_an_error_inside_one() -> None:
    near, far = socket.socketpair()
    with near:
        with far:
            protocol.send(far, {"a": 1})
            far.sendall(protocol.pack({"b": 2})[:-1])
        assert protocol.receive(near, 100) == {"a": 1}
        with pytest.raises(protocol.ProtocolError):
            protocol.receive(near, 100)
        assert protocol.receive(near, 100) is None
