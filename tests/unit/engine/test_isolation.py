"""What an isolated script cannot reach, each attempt verified from outside with a planted canary."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lithium_script.engine.isolation import Isolation, work_out
from lithium_script.engine.registry import RunningExecution
from lithium_script.errors import ServiceUnavailable
from lithium_script.model import Cancellation, Code, ExecutionOutcome, ExecutionRequest, Limits
from lithium_script.python.isolated import IsolatedRunner
from lithium_script.sandbox import policy

CANARY = "canary-4711"
NEEDED = {"namespaces", "landlock", "seccomp"}


@pytest.fixture(scope="module")
def isolation() -> Isolation:
    found = work_out((), ())
    absent = {layer.name: layer.reason for layer in found.layers if layer.name in NEEDED and not layer.active}
    if absent and not os.environ.get("CI"):
        pytest.skip(f"this kernel does not offer {absent}")
    assert not absent
    return found


@pytest.fixture(scope="module")
def runner(isolation: Isolation, run_root: Path) -> Iterator[IsolatedRunner]:
    runner = IsolatedRunner(run_root, 2, isolation)
    runner.start()
    yield runner
    runner.close()


@pytest.fixture
def attempt(runner: IsolatedRunner) -> Callable[..., ExecutionOutcome]:
    def attempt(code: str, numpy: bool = False) -> ExecutionOutcome:
        request = ExecutionRequest(Code(code), limits=Limits(timeout_ms=20_000))
        return runner.run(request, RunningExecution(uuid.uuid4().hex, "tests", Cancellation()), numpy, None)

    return attempt


READS = {
    "shadow": "open('/etc/shadow').read()",
    "hostname": "open('/etc/hostname').read()",
    "home of the user": "os.listdir(os.path.expanduser('~root'))",
    "root": "os.listdir('/')",
    "tmp": "os.listdir('/tmp')",
    "processes": "os.listdir('/proc')",
    "own process": "open('/proc/self/environ').read()",
    "init": "open('/proc/1/environ').read()",
    "other runs": "os.listdir(os.path.dirname(os.environ['HOME']))",
    "through a link": "os.symlink('/etc/shadow', 'link') or open('link').read()",
    "through a copy": "shutil.copy('/etc/shadow', 'copy')",
    "kernel memory": "open('/dev/mem', 'rb').read(1)",
    "kernel log": "open('/dev/kmsg').read(1)",
    "cgroups": "os.listdir('/sys/fs/cgroup')",
}
WRITES = {
    "tmp": "open('/tmp/lithium-escape', 'w')",
    "etc": "open('/etc/lithium-escape', 'w')",
    "interpreter": "open(os.path.join(os.path.dirname(os.__file__), 'escape.py'), 'w')",
    "usr": "os.mkdir('/usr/lithium-escape')",
    "other runs": "os.mkdir(os.path.join(os.path.dirname(os.environ['HOME']), 'lithium-escape'))",
    "rename out": "open('x', 'w').close() or os.rename('x', '../x')",
    "device node": "os.mknod('node', 0o60666, os.makedev(254, 0))",
    "owner of a program": "os.chown('/usr/bin/env', -1, -1) or os.utime('/usr/bin/env')",
    "mode of a program": "os.chmod('/usr/bin/env', 0o755)",
    "mode of the folder of all runs": "os.chmod('..', 0o700)",
    "hard link": "os.link('/usr/bin/env', 'env')",
}
CALLS = {
    "internet socket": "socket.socket()",
    "udp socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "unix socket": "socket.socket(socket.AF_UNIX)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "kernel crypto": "socket.socket(38, socket.SOCK_SEQPACKET)",
    "mount": "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "umount": "call(166, b'/', 2)",
    "ptrace": "call(101, 16, 1, 0, 0)",
    "unshare user": "call(272, 0x10000000)",
    "unshare mount": "call(272, 0x20000)",
    "clone a namespace": "call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "setns": "call(308, 0, 0)",
    "chroot": "call(161, b'.')",
    "pivot_root": "call(155, b'.', b'.')",
    "bpf": "call(321, 0, 0, 0)",
    "perf": "call(298, 0, 0, -1, -1, 0)",
    "io_uring": "call(425, 1, 0)",
    "userfaultfd": "call(323, 0)",
    "keyring": "call(250, 0, -3, 0)",
    "add_key": "call(248, b'user', b'x', b'y', 1, -3)",
    "process memory": "call(310, 1, 0, 0, 0, 0, 0)",
    "kexec": "call(246, 0, 0, 0, 0)",
    "module": "call(175, 0, 0, b'')",
    "open by handle": "call(304, 0, 0, 0)",
    "shared memory": "call(29, 4711, 4096, 0o1666)",
    "message queue": "call(68, 4711, 0o1666)",
    "reboot": "call(169, 0xfee1dead, 672274793, 0, 0)",
    "hostname": "call(170, b'escape', 6)",
    "personality": "call(135, 0x0040000)",
    "terminal input": "fcntl.ioctl(0, 0x5412, b'x')",
    "become another user": "os.setuid(1) if os.getuid() == 0 else os.setuid(0)",
    "give a file away": "open('f', 'w').close() or os.chown('f', 12345, 12345)",
}
PRELUDE = """
import ctypes, fcntl, os, shutil, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), 'refused')
"""


@pytest.mark.parametrize("code", READS.values(), ids=READS)
def test_nothing_outside_can_be_read(attempt, code: str) -> None:
    error = attempt(PRELUDE + code).error
    assert error is not None and error.type in ("PermissionError", "FileNotFoundError"), error


@pytest.mark.parametrize("code", WRITES.values(), ids=WRITES)
def test_nothing_outside_can_be_changed(attempt, run_root: Path, code: str) -> None:
    error = attempt(PRELUDE + code).error
    assert error is not None and error.type in ("PermissionError", "OSError"), error
    for folder in ("/tmp", "/etc", "/usr", run_root):
        assert not os.path.exists(os.path.join(folder, "lithium-escape"))
    assert not os.path.exists(run_root / "x")


@pytest.mark.parametrize("code", CALLS.values(), ids=CALLS)
def test_call_is_refused_with_an_error_the_script_can_handle(attempt, code: str) -> None:
    error = attempt(PRELUDE + code).error
    assert error is not None and error.type in ("PermissionError", "OSError"), error


def test_canary_of_the_host_is_not_found_anywhere(attempt, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    code = f"open({str(tmp_path / 'secret')!r}).read()"
    assert attempt(code).error.type == "PermissionError"


def test_server_on_loopback_is_out_of_reach(attempt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        error = attempt(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)").error
        assert error.type == "PermissionError"


def test_process_of_the_host_cannot_be_signalled(attempt) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        outcome = attempt(f"import os\nos.kill({victim.pid}, {int(signal.SIGKILL)})")
        assert outcome.error.type in ("ProcessLookupError", "PermissionError")
        assert victim.poll() is None
        attempt("import os, signal\nsignal.signal(15, signal.SIG_IGN)\nos.kill(-1, 15)")
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_script_sees_no_process_but_its_own(attempt) -> None:
    assert attempt("import os\n[os.getpid() < 10, os.getppid()]").result == [True, 1]


def test_daemon_that_leaves_its_session_ends_with_the_script(attempt) -> None:
    mark = "86398.75"
    attempt(
        "import os, subprocess\nsubprocess.Popen(['sleep', '" + mark + "'], start_new_session=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: os.execvp('sleep', ['sleep', '" + mark + "'])\n"
        "    os._exit(0)\n"
    )
    for _ in range(200):
        found = subprocess.run(["pgrep", "-f", f"sleep {mark}"], stdout=subprocess.PIPE).stdout
        if not found:
            break
    assert not found


def test_no_capability_is_left_and_none_can_be_gained(attempt) -> None:
    code = PRELUDE + "[libc.prctl(39, 0, 0, 0, 0), [libc.prctl(23, n, 0, 0, 0) for n in range(41)]]"
    no_new_privs, bounding = attempt(code).result
    assert no_new_privs == 1
    if os.geteuid() == 0:
        assert sum(bounding) == 0


def test_shared_memory_is_one_s_own(attempt) -> None:
    assert attempt("import os\nopen('/dev/shm/left', 'w').close()\nos.listdir('/dev/shm')").result == ["left"]
    assert attempt("import os\nos.listdir('/dev/shm')").result == []


def test_system_call_of_another_architecture_kills_the_process(attempt) -> None:
    # int 0x80 with eax = 20 (getpid of 32-bit), in a page of its own.
    code = PRELUDE + (
        "import mmap\npage = mmap.mmap(-1, 4096, prot=7)\npage.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()"
    )
    assert attempt(code).signal == "SIGSYS"


def test_numpy_works_inside_the_full_sandbox(attempt) -> None:
    code = "import numpy as np\nfloat(np.linalg.det(np.eye(3)) + np.fft.fft([1, 2]).real.sum())"
    assert attempt(code, numpy=True).result == 3.0


INNOCENT = ("ssl", "sqlite3", "multiprocessing.pool", "email", "xml.etree.ElementTree", "zoneinfo")


@pytest.mark.parametrize("module", INNOCENT)
def test_innocent_imports_work(attempt, module: str) -> None:
    assert attempt(f"import {module}\n'ok'").result == "ok"


def test_required_layer_that_is_missing_refuses_instead_of_downgrading(run_root: Path, isolation: Isolation) -> None:
    offered = {layer.name: "" for layer in isolation.layers} | {"landlock": "not in this kernel"}
    layers = policy.plan(offered, ("landlock",))
    runner = IsolatedRunner(run_root, 1, Isolation(layers, isolation.confinement))
    with pytest.raises(ServiceUnavailable, match="landlock"):
        runner.check()
    assert runner.readiness()["sandbox.landlock"] == "not in this kernel"
