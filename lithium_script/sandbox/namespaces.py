"""Namespaces (namespaces(7)): no network, no other processes, no shared memory of others.

The fork server enters its own user, mount, network, IPC and UTS namespaces once, where every file system is read-only
(Landlock does not cover chmod, chown and the like). Each execution gets a PID namespace, and a mount namespace in
which its own directory is writable and /dev/shm is its own. Killing a PID namespace's first process kills all of it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x1000, 0x4000, 1 << 18
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_READ_ONLY, _NO_SETUID = 1, 2
_CLONE = {"x86_64": 56, "aarch64": 220}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def _mount(source: bytes, target: str, kind: bytes | None, flags: int, options: bytes | None) -> None:
    result = _libc.mount(source, target.encode(), kind, ctypes.c_ulong(flags), options)
    _check(result, f"mount {target}")


def enter_server(network: bool) -> None:
    """Enter the namespaces that all executions of this fork server share; raise ``OSError`` where not allowed."""
    flags = _NEWNS | _NEWIPC | _NEWUTS | (0 if network else _NEWNET)
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0 and _libc.unshare(flags) == 0:
        _make_private()
        return
    _check(_libc.unshare(flags | _NEWUSER), "unshare")
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    with open("/proc/self/uid_map", "w") as file:
        file.write(f"{uid} {uid} 1")
    with open("/proc/self/gid_map", "w") as file:
        file.write(f"{gid} {gid} 1")
    _make_private()


def _make_private() -> None:
    _mount(b"none", "/", None, _MS_REC | _MS_PRIVATE, None)
    _set_attributes("/", _AT_RECURSIVE, _READ_ONLY | _NO_SETUID, 0)


def _set_attributes(path: str, flags: int, add: int, remove: int) -> None:
    """Change the attributes of a mount (mount_setattr(2))."""
    attributes = (ctypes.c_uint64 * 4)(add, remove, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    result = _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, ctypes.byref(attributes), size)
    _check(result, f"mount_setattr {path}")


def fork_first() -> int:
    """Fork, the child being the first process of a new PID namespace; like ``os.fork`` otherwise.

    unshare(2) would serve one fork only, and going back takes setns(2) with rights that a user namespace does not
    give. The C library does not notice this clone(2): the child must do no more than fork again, properly.
    """
    number = _CLONE.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, f"clone on {os.uname().machine}")
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    # Called with the interpreter lock held, as fork is.
    pid: int = ctypes.PyDLL(None).syscall(number, ctypes.c_ulong(_NEWPID | signal.SIGCHLD), None, None, None, None)
    failure = ctypes.get_errno()
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(failure, f"clone: {os.strerror(failure)}")
    return pid


def enter_execution(home: str, shared_memory_bytes: int) -> None:
    """Give this process a mount namespace in which only ``home`` can be written to, and an empty /dev/shm."""
    _check(_libc.unshare(_NEWNS), "unshare")
    _mount(home.encode(), home, None, _MS_BIND, None)
    _set_attributes(home, 0, 0, _READ_ONLY)
    if os.path.isdir("/dev/shm"):
        options = f"mode=1777,size={shared_memory_bytes}".encode()
        _mount(b"tmpfs", "/dev/shm", b"tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, options)
