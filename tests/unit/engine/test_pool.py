"""What holds for every execution in a forked child, tried on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from lithium_script.model import Cancellation, Event, InputFile, Limits
from lithium_script.python.pool import InterpreterPool

SECRET = "canary-of-the-service"


def _alive(marker: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if marker in (process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def _gone(marker: str) -> bool:
    deadline = time.monotonic() + 5
    while _alive(marker) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    return not _alive(marker)


@pytest.mark.parametrize(
    "leave",
    [
        "subprocess.Popen(['sleep', MARK])",
        "subprocess.Popen(['sleep', MARK], start_new_session=True)",
        "os.fork() or (os.setsid(), os.fork() or os.execvp('sleep', ['sleep', MARK]), os._exit(0))",
        "subprocess.Popen(['sh', '-c', 'trap \"\" TERM INT HUP; sleep ' + MARK + ' & wait'])",
    ],
)
@pytest.mark.parametrize("end", ["pass", "time.sleep(60)", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_whole_process_tree_ends_with_the_script(run, leave: str, end: str) -> None:
    mark = f"{os.getpid() + hash((leave, end)) % 10_000_000}.5"
    code = f"import os, subprocess, time\nMARK = '{mark}'\n{leave}\ntime.sleep(0.05)\n{end}"
    run(code, limits=Limits(timeout_ms=700))
    assert _gone(mark)


def test_children_of_one_server_draw_different_random_numbers(run) -> None:
    code = "import random, uuid, tempfile\n[random.random(), str(uuid.uuid4()), next(tempfile._get_candidate_names())]"
    with ThreadPoolExecutor(4) as threads:
        drawn = [outcome.result for outcome in threads.map(run, [code] * 100)]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == 100


def test_numpy_generators_differ_between_children(run) -> None:
    code = "import numpy as np\n[float(np.random.random()), float(np.random.default_rng().random())]"
    drawn = [run(code, numpy=True).result for _ in range(20)]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == 20


def test_environment_and_descriptors_of_the_service_do_not_leak(run, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LITHIUM_SCRIPT_API_KEYS", SECRET)
    with open(tmp_path / "open-in-the-service", "w"):
        outcome = run(
            "import os\n"
            "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if n.isdigit() "
            "and os.path.islink(f'/proc/self/fd/{n}')]\n"
            "[dict(os.environ), open('/proc/self/environ').read(), sorted(links)]"
        )
    environment, raw, links = outcome.result
    assert SECRET not in str(environment) and SECRET not in raw
    kinds = sorted(link.partition(":")[0] for link in links if not link.startswith("/proc/"))
    assert kinds == ["pipe", "pipe", "pipe", "socket"], links


def test_dead_fork_server_is_replaced(run_root: Path) -> None:
    pool = InterpreterPool(run_root, 1)
    pool.start()
    try:
        from tests.unit.engine.requests import execute

        assert execute(pool, "1").result == 1
        for pid in pool.server_pids():
            os.kill(pid, signal.SIGKILL)
        results = [execute(pool, "2") for _ in range(3)]
        assert results[-1].result == 2
    finally:
        pool.close()


STARVED = """
import os, resource, sys, threading, time
from pathlib import Path
from lithium_script.python.pool import InterpreterPool
from tests.unit.engine.requests import execute

root = Path(sys.argv[1])

def held():
    return len(os.listdir('/proc/self/fd'))

def stocked():
    deadline = time.monotonic() + 60
    while pool.available < 4:
        assert time.monotonic() < deadline, pool.readiness()
        threading.Event().wait(0.02)
    return held()

pool = InterpreterPool(root, 2)
pool.start()
before = stocked()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (before + int(sys.argv[2]), hard))
child = pool._servers['plain'].take()
deadline = time.monotonic() + 30
while not pool._servers['plain'].failure:
    assert time.monotonic() < deadline, pool.readiness()
    threading.Event().wait(0.02)
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
child.discard()
after = stocked()
assert after == before, (before, after)
assert execute(pool, '1 + 1').result == 2
stocked()
assert len(os.listdir(root)) == 4, os.listdir(root)
pool.close()
assert os.listdir(root) == []
"""


@pytest.mark.parametrize("spare", range(2, 10))
def test_spawn_that_fails_for_want_of_descriptors_leaks_nothing_and_recovers(tmp_path: Path, spare: int) -> None:
    """Each number of spare descriptors has the spawn fail at another step."""
    words = [sys.executable, "-c", STARVED, str(tmp_path), str(spare)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def test_script_whose_files_cannot_be_written_is_told_why(run, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    outcome = run("1", files=(InputFile("taken", b"x"),), working_directory=str(tmp_path))
    assert (outcome.error.code, outcome.error.type) == ("execution_failed", "IsADirectoryError")
    assert "was not started" in outcome.error.message


def test_closing_the_pool_ends_everything_below_it(run_root: Path) -> None:
    from tests.unit.engine.requests import execute

    pool = InterpreterPool(run_root, 1)
    pool.start()
    execute(pool, "1")
    below = [child for pid in pool.server_pids() for child in [pid, *_descendants(pid)]]
    pool.close()
    assert not [pid for pid in below if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def _descendants(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"\\xff\\xff\\xff\\xff", "exceeds"),
        (b"\\x00\\x00\\x00\\x02{]", "not strict JSON"),
        (b"\\x00\\x00\\x00\\x04null", "not a JSON object"),
        (b'\\x00\\x00\\x00\\x0e{"result": 42}', "not the frame"),
    ],
)
def test_forged_result_frames_cost_only_their_own_execution(run, frame: bytes, message: str) -> None:
    outcome = run(f"import os\nos.write(3, b'{frame.decode()}')\nos._exit(0)")
    assert outcome.error.code == "execution_failed"
    assert message in outcome.error.message
    assert run("'alive'").result == "alive"


def test_deeply_nested_forged_frame_is_survived(run) -> None:
    outcome = run(
        "import os, struct\nbody = b'{\"result\":' + b'[' * 200000 + b']' * 200000 + b'}'\n"
        "data = struct.pack('>I', len(body)) + body\n"
        "while data: data = data[os.write(3, data):]\nos._exit(0)"
    )
    assert outcome.error.code == "execution_failed"


def test_output_of_script_children_and_c_code_keeps_its_order(run) -> None:
    outcome = run(
        "import os, subprocess\nprint('one')\nos.write(1, b'two\\n')\nsubprocess.run(['echo', 'three'])\n"
        "print('four', end='')\nos.write(1, b'-five')"
    )
    assert outcome.stdout == "one\ntwo\nthree\nfour-five"


def test_stdin_larger_than_a_pipe_is_fed_while_output_is_drained(run) -> None:
    text = "0123456789" * 50_000
    outcome = run("import sys\ndata = sys.stdin.read()\nprint(data)\nlen(data)", stdin=text)
    assert (outcome.result, outcome.stdout) == (500_000, text + "\n")


def test_unread_stdin_does_not_delay_the_end(run) -> None:
    assert run("7", stdin="x" * 1_000_000).result == 7


def test_character_cut_by_the_cap_is_dropped_whole(run) -> None:
    limits = Limits(timeout_ms=20_000, max_output_bytes=1000)
    outcome = run("print('é' * 501, end='')\nprint('x' * 10)", limits=limits)
    assert outcome.stdout == "é" * 500
    assert outcome.truncated == ("stdout",)
    assert outcome.success


def test_flood_ends_the_script_with_what_it_printed_first(run) -> None:
    limits = Limits(timeout_ms=20_000, max_output_bytes=1024)
    outcome = run("while True: print('y' * 1000)", limits=limits)
    assert outcome.error.code == "output_limit"
    assert outcome.stdout.startswith("yyy") and len(outcome.stdout) == 1024


def test_invalid_bytes_are_replaced_not_lost(run) -> None:
    assert run("import os\nos.write(1, b'a\\xffb\\xc3')").stdout == "a\ufffdb\ufffd"


def test_cancel_lets_the_script_clean_up(run) -> None:
    cancellation = Cancellation()

    def sink(event: Event) -> None:
        if event.kind == "stdout":
            cancellation.request("cancel")

    code = (
        "import os, time\ntry:\n    os.write(1, b'started\\n')\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('cleaned')"
    )
    outcome = run(code, sink=sink, cancellation=cancellation)
    assert outcome.error.code == "cancelled"
    assert outcome.stdout == "started\ncleaned\n"


def test_cancel_of_a_script_that_ignores_it_kills_after_the_grace_period(run) -> None:
    cancellation = Cancellation()
    code = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('started')\n"
        "while True: time.sleep(60)"
    )
    outcome = run(code, sink=lambda event: cancellation.request("cancel"), cancellation=cancellation)
    assert outcome.error.code == "cancelled"
    assert outcome.signal == "SIGKILL"


def test_kill_is_told_apart_from_cancel(run) -> None:
    cancellation = Cancellation()
    outcome = run(
        "import os, time\nos.write(1, b'on\\n')\ntime.sleep(60)",
        sink=lambda event: cancellation.request("kill"),
        cancellation=cancellation,
    )
    assert (outcome.error.code, outcome.stdout) == ("killed", "on\n")


def test_script_that_kills_its_keeper_leaves_nothing(run) -> None:
    mark = "86399.25"
    code = (
        "import os, subprocess\nsubprocess.Popen(['sleep', '" + mark + "'], start_new_session=True)\n"
        "os.kill(os.getppid(), 9)\nimport time\ntime.sleep(60)"
    )
    outcome = run(code)
    assert not outcome.success
    assert _gone(mark)


def test_fork_bomb_ends_as_process_limit(run) -> None:
    limits = Limits(timeout_ms=10_000, max_processes=20)
    outcome = run("import os, time\nfor _ in range(40): os.fork() or time.sleep(60)", limits=limits)
    assert outcome.error.code == "process_limit"


def test_run_directory_is_private_empty_and_removed(run, run_root: Path) -> None:
    code = (
        "import os, tempfile\nfound = [os.getcwd(), os.environ['HOME'], tempfile.gettempdir(), os.listdir()]\n"
        "os.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.symlink('/etc', 'a/link')\nos.chmod('a/b', 0)\n"
        "os.chmod('a', 0)\nfound"
    )
    directory, home, temporary, entries = run(code).result
    assert directory == home == temporary
    assert entries == []
    assert not os.path.exists(directory)
    assert os.path.isdir("/etc")


def test_output_files_are_new_or_changed_regular_files_only(run, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    code = (
        "import os\nopen('new.txt', 'w').write('new')\nopen('changed.txt', 'a').write('!')\n"
        f"os.symlink({str(secret)!r}, 'link.txt')\nos.mkfifo('fifo.txt')\nos.symlink({str(tmp_path)!r}, 'folder')\n"
        "os.makedirs('out')\nopen('out/deep.txt', 'w').write('deep')\nopen('other.bin', 'w').write('no')"
    )
    files = (InputFile("same.txt", b"same"), InputFile("changed.txt", b"old"))
    outcome = run(code, files=files, output_files=("*.txt",))
    assert outcome.error is None
    assert {file.path: file.content for file in outcome.files} == {
        "new.txt": b"new",
        "changed.txt": b"old!",
        "out/deep.txt": b"deep",
    }


def test_progress_reaches_the_sink_in_order(run) -> None:
    events: list[Event] = []
    run("for i in range(3): progress(i / 2, f'step {i}')", sink=events.append)
    assert [(e.kind, e.data["fraction"], e.data["message"]) for e in events] == [
        ("progress", 0.0, "step 0"),
        ("progress", 0.5, "step 1"),
        ("progress", 1.0, "step 2"),
    ]
    assert [event.seq for event in events] == [1, 2, 3]


def test_nothing_of_a_run_is_seen_by_the_next(run) -> None:
    run("import json, builtins\njson.dumps = None\nbuiltins.mine = 1\nimport os\nos.environ['MINE'] = '1'")
    outcome = run("import json, builtins, os\n[json.dumps([1]), hasattr(builtins, 'mine'), 'MINE' in os.environ]")
    assert outcome.result == ["[1]", False, False]
