"""Keeps what a script prints: cut at a cap, decoded as UTF-8 with replacement, never split inside a character."""

from __future__ import annotations

import codecs

FLOOD_FACTOR = 100


class OutputStream:
    """One output stream of one execution; not thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept = 0
        self._total = 0
        self._parts: list[str] = []

    @property
    def truncated(self) -> bool:
        """Whether the cap cut something off."""
        return self._total > self._limit

    @property
    def flooded(self) -> bool:
        """Whether so much was printed that the script must end."""
        return self._total > self._limit * FLOOD_FACTOR

    def feed(self, data: bytes) -> str:
        """Take what was read and return the text that it completes, within the cap."""
        self._total += len(data)
        kept = data[: self._limit - self._kept]
        self._kept += len(kept)
        return self._append(self._decoder.decode(kept))

    def finish(self) -> str:
        """Return what is left of a character that never came to its end; nothing where the cap cut it."""
        return self._append("" if self.truncated else self._decoder.decode(b"", True))

    def text(self) -> str:
        """Give all text so far."""
        return "".join(self._parts)

    def _append(self, text: str) -> str:
        if text:
            self._parts.append(text)
        return text
