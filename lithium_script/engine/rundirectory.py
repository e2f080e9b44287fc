"""The private working directory of one execution: made before it, collected from by descriptor, removed after it.

A script may leave anything there. Nothing in it is ever opened through a link: every step goes through a
descriptor of the folder above it, with O_NOFOLLOW, and only regular files are read.
"""

from __future__ import annotations

import fcntl
import fnmatch
import logging
import mimetypes
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

from lithium_script.model import InputFile, OutputFile

log = logging.getLogger(__name__)

MAX_OUTPUT_FILES = 256
MAX_OUTPUT_BYTES = 64 << 20
MAX_ENTRIES = 10_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def make_directory(root: Path) -> str:
    """Make a fresh private directory below ``root`` and give its path."""
    path = os.path.join(root, uuid.uuid4().hex)
    os.mkdir(path, 0o700)
    return path


def remove(path: str) -> None:
    """Remove a directory that a script wrote to, whatever permissions and however deep a tree it left there."""
    try:
        os.rmdir(path)
        return
    except OSError:
        pass
    try:
        os.chmod(path, 0o700)
        top = os.open(path, _FOLDER)
        try:
            while names := os.listdir(top):
                for name in names:
                    _remove_entry(top, name)
        finally:
            os.close(top)
        os.rmdir(path)
    except OSError as error:
        log.warning("could not remove the run directory %s: %s", path, error)


def _remove_entry(top: int, name: str) -> None:
    """Remove one entry of the directory ``top``; folders inside it move up to the top, so that depth costs nothing."""
    if not _unlinked(top, name):
        os.chmod(name, 0o700, dir_fd=top)
        folder = os.open(name, _FOLDER, dir_fd=top)
        try:
            for inner in os.listdir(folder):
                if not _unlinked(folder, inner):
                    os.chmod(inner, 0o700, dir_fd=folder)
                    os.rename(inner, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=top)


def _unlinked(folder: int, name: str) -> bool:
    """Unlink what is no directory; False for a directory. Nothing is followed: unlink removes a link itself."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=folder)
    return True


class RunRoot:
    """The folder of one worker's run directories; a lock on it, released by the kernel, says that the worker lives."""

    def __init__(self, root: Path, worker_id: str) -> None:
        self._root = root
        self._fd = -1
        self.path = root / worker_id

    def start(self) -> None:
        """Make the folder, and remove those of workers that are gone with all that they left."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        everyone = os.open(self._root, _FOLDER)
        try:
            # One at a time: a folder that is made but not locked yet would look dead to another worker.
            fcntl.flock(everyone, fcntl.LOCK_EX)
            self.path.mkdir(mode=0o700)
            self._fd = os.open(self.path, _FOLDER)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            for name in os.listdir(self._root):
                if name != self.path.name:
                    self._remove_if_dead(name)
        finally:
            os.close(everyone)

    def close(self) -> None:
        """Remove the folder."""
        if self._fd >= 0:
            remove(str(self.path))
            os.close(self._fd)
            self._fd = -1

    def _remove_if_dead(self, name: str) -> None:
        path = os.path.join(self._root, name)
        try:
            fd = os.open(path, _FOLDER)
        except OSError:
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            remove(path)
        finally:
            os.close(fd)


Snapshot = dict[str, tuple[int, int, int]]


class OutputCollector:
    """Finds the files that an execution made or changed; knows what was there before."""

    def __init__(self, path: str, globs: tuple[str, ...], inputs: tuple[InputFile, ...]) -> None:
        self._path = path
        self._globs = globs
        self._inputs = {os.path.normpath(file.path): file.content for file in inputs}
        self._before: Snapshot = dict(self._walk()) if globs else {}

    def collect(self) -> tuple[tuple[OutputFile, ...], tuple[str, ...]]:
        """Read the new or changed files that match, and say which were left out for number or size."""
        files: list[OutputFile] = []
        left_out: list[str] = []
        total = 0
        for name, identity in sorted(self._walk()) if self._globs else ():
            if self._before.get(name) == identity or not self._matches(name):
                continue
            if len(files) >= MAX_OUTPUT_FILES or total + identity[1] > MAX_OUTPUT_BYTES:
                left_out.append(f"output file '{name}' left out: more than {MAX_OUTPUT_FILES} files or 64 MiB")
                continue
            content = self._read(name, MAX_OUTPUT_BYTES - total)
            if content is None or self._inputs.get(name) == content:
                continue
            total += len(content)
            mime_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            files.append(OutputFile(name, content, mime_type))
        return tuple(files), tuple(left_out[:20])

    def _matches(self, name: str) -> bool:
        # `**/` stands for any number of folders, none included.
        globs = (*self._globs, *(glob.replace("**/", "") for glob in self._globs if "**/" in glob))
        return any(fnmatch.fnmatchcase(name, glob) for glob in globs)

    def _walk(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        count = 0
        for folder, _, names, fd in os.fwalk(self._path, follow_symlinks=False):
            for name in names:
                count += 1
                if count > MAX_ENTRIES:
                    return
                try:
                    found = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    relative = os.path.normpath(os.path.join(os.path.relpath(folder, self._path), name))
                    relative.encode("utf-8")
                except (OSError, UnicodeEncodeError):
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield relative, (found.st_ino, found.st_size, found.st_mtime_ns)

    def _read(self, name: str, limit: int) -> bytes | None:
        """Read a regular file below the directory, opening each part of its path from the one above."""
        *folders, last = name.split("/")
        fds = [os.open(self._path, _FOLDER)]
        try:
            for folder in folders:
                fds.append(os.open(folder, _FOLDER, dir_fd=fds[-1]))
            fds.append(os.open(last, _FILE, dir_fd=fds[-1]))
            if not stat.S_ISREG(os.fstat(fds[-1]).st_mode):
                return None
            with open(os.dup(fds[-1]), "rb") as file:
                content = file.read(limit + 1)
            return content if len(content) <= limit else None
        except OSError:
            return None
        finally:
            for fd in fds:
                os.close(fd)
