"""Programs that use processes and threads, fail, or meet a limit: one explicit code for each cause."""

from __future__ import annotations

from tests.functional.program import Program, contains, lacks

_FRAMES = lacks("lithium_script", "importlib", "site-packages")

CONCURRENCY = [
    Program(
        "threads",
        """
        import threading
        found = []
        threads = [threading.Thread(target=found.append, args=(n,)) for n in range(10)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        result = sorted(found)
        """,
        result=list(range(10)),
    ),
    Program(
        "threads_are_waited_for",
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(0.2) or print('b')).start()\nprint('a')",
        stdout="a\nb\n",
    ),
    Program(
        "daemon_thread_does_not_hold_the_end",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n1",
        result=1,
        executionTime=lambda found: found < 10_000,
    ),
    Program("atexit", "import atexit\natexit.register(print, 'bye')\nprint('hi')", stdout="hi\nbye\n"),
    Program(
        "multiprocessing_pool",
        """
        import multiprocessing
        def square(n): return n * n
        if __name__ == "__main__":
            with multiprocessing.Pool(2) as pool:
                result = pool.map(square, range(5))
        """,
        result=[0, 1, 4, 9, 16],
    ),
    Program(
        "process_pool_executor",
        """
        from concurrent.futures import ProcessPoolExecutor
        def double(n): return 2 * n
        with ProcessPoolExecutor(2) as pool:
            result = list(pool.map(double, range(4)))
        """,
        result=[0, 2, 4, 6],
    ),
    Program(
        "asyncio",
        """
        import asyncio
        async def one(n):
            await asyncio.sleep(0.01)
            return n
        async def main(): return await asyncio.gather(one(1), one(2))
        result = asyncio.run(main())
        """,
        result=[1, 2],
    ),
    Program(
        "subprocess_output_keeps_its_order",
        "import os, subprocess\nprint('one')\nsubprocess.run(['echo', 'two'])\nos.write(1, b'three\\n')\nprint('four')",
        stdout="one\ntwo\nthree\nfour\n",
    ),
    Program(
        "forked_child",
        "import os\npid = os.fork()\nif pid == 0: os._exit(7)\nos.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])",
        result=7,
    ),
    Program(
        "child_left_behind_does_not_hold_the_end",
        "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)\n1",
        result=1,
        executionTime=lambda found: found < 10_000,
    ),
    Program("character_written_in_halves", "import os\nos.write(1, b'\\xc3')\nos.write(1, b'\\xa9')\nNone", stdout="é"),
    Program(
        "invalid_bytes",
        "import os\nos.write(1, b'a\\xffb')\nos.write(2, b'\\xfe')\nNone",
        stdout="a\ufffdb",
        stderr="\ufffd",
    ),
]

FAILURES = [
    Program("exit_zero", "import sys\nprint('a')\nsys.exit(0)", stdout="a\n"),
    Program("exit_none", "import sys\nsys.exit()"),
    Program("exit_3", "import sys\nsys.exit(3)", error__code="execution_failed", error__type="SystemExit", exitCode=3),
    Program("exit_text", "import sys\nsys.exit('no')", error__type="SystemExit", exitCode=1, stderr="no\n"),
    Program("raise_system_exit", "raise SystemExit(4)", error__type="SystemExit", exitCode=4),
    Program(
        "os_exit",
        "import os\nprint('a')\nos._exit(3)",
        error__code="execution_failed",
        error__type="SystemExit",
        exitCode=3,
        stdout="a\n",
    ),
    Program(
        "segmentation_fault",
        "import os, signal\nprint('a')\nos.kill(os.getpid(), signal.SIGSEGV)",
        error__code="crashed",
        signal="SIGSEGV",
        exitCode=None,
        stdout="a\n",
    ),
    Program("kill", "import os\nos.kill(os.getpid(), 9)", error__code="crashed", signal="SIGKILL", exitCode=None),
    Program("abort", "import os\nos.abort()", error__code="crashed", signal="SIGABRT", exitCode=None),
    Program(
        "exception",
        "def f():\n    raise ValueError('bad')\nprint('before')\nf()",
        error__code="execution_failed",
        error__type="ValueError",
        error__message="bad",
        error__line=2,
        error__traceback=contains("line 4, in <module>", "line 2, in f", "ValueError: bad"),
        stdout="before\n",
        exitCode=1,
        result=None,
    ),
    Program(
        "traceback_has_no_foreign_frames",
        "import json\njson.loads('{')",
        error__type="JSONDecodeError",
        error__line=2,
        error__traceback=_FRAMES,
    ),
    Program(
        "chained_exception",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
        error__type="KeyError",
        error__line=4,
        error__traceback=contains("ZeroDivisionError", "direct cause", "line 2"),
    ),
    Program(
        "exception_group",
        "raise ExceptionGroup('many', [ValueError(1)])",
        error__type="ExceptionGroup",
        error__traceback=contains("ValueError: 1"),
    ),
    Program("recursion", "def f(): f()\nf()", error__type="RecursionError", error__line=1),
    Program("syntax_error", "x = 1\ny = = 2", error__code="syntax_error", error__type="SyntaxError", error__line=2),
    Program(
        "indentation_error",
        "if True:\nx = 1",
        error__code="syntax_error",
        error__type="IndentationError",
        error__line=2,
    ),
    Program("nul_in_source", "x = '\0'", error__code="syntax_error"),
    Program("missing_module", "import nothing_of_that_name", error__type="ModuleNotFoundError", error__line=1),
    Program("input_at_end", "input()", error__type="EOFError"),
    Program("assertion", "assert 1 == 2, 'unequal'", error__type="AssertionError", error__message="unequal"),
    Program(
        "keyboard_interrupt", "raise KeyboardInterrupt", error__code="execution_failed", error__type="KeyboardInterrupt"
    ),
]

LIMITS = [
    Program(
        "print_flood_is_cut",
        "for _ in range(30000): print('x' * 99)\nresult = 'done'",
        result="done",
        stdout=lambda found: len(found) == 1 << 20,
        truncated__stdout=True,
        truncated__stderr=False,
    ),
    Program("result_too_large", "result = 'x' * (17 << 20)", result=None, truncated__result=True),
    Program(
        "timeout_keeps_partial_output",
        "print('begun')\nimport time\ntime.sleep(60)",
        {"timeout": 700},
        error__code="timeout",
        stdout="begun\n",
        executionTime=lambda found: 600 < found < 10_000,
    ),
    Program("endless_loop", "while True: pass", {"timeout": 500}, error__code="timeout"),
    Program(
        "timeout_of_a_child",
        "import subprocess\nsubprocess.run(['sleep', '60'])",
        {"timeout": 500},
        error__code="timeout",
    ),
    Program("cpu_limit", "while True: pass", {"cpuTimeout": 300, "timeout": 20000}, error__code="cpu_limit"),
    Program(
        "memory_limit",
        "print('a')\nb = bytearray(500 << 20)\nimport time\ntime.sleep(5)",
        {"maxMemoryMB": 64},
        error__code="memory_limit",
        stdout="a\n",
    ),
    Program(
        "memory_limit_counts_the_whole_tree",
        """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                b = b"x" * (60 << 20)
                time.sleep(30)
                os._exit(0)
        time.sleep(30)
        """,
        {"maxMemoryMB": 150},
        error__code="memory_limit",
    ),
    Program("memory_below_the_limit", "len(bytearray(100 << 20))", {"maxMemoryMB": 256}, result=100 << 20),
    Program("blocked_import", "import json", {"blockedImports": ["json"]}, error__type="ImportError", error__line=1),
    Program(
        "allowed_imports_only",
        "import math\nimport json",
        {"allowedImports": ["math"]},
        error__type="ImportError",
        error__line=2,
    ),
    Program(
        "allowed_module_imports_what_it_needs",
        "import json\njson.dumps([1])",
        {"allowedImports": ["json"]},
        result="[1]",
    ),
    Program("blocked_import_by_name", "__import__('json')", {"blockedImports": ["json"]}, error__type="ImportError"),
    Program(
        "blocked_import_by_importlib",
        "import importlib\nimportlib.import_module('json')",
        {"blockedImports": ["json"]},
        error__type="ImportError",
    ),
]
