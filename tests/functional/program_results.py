"""Programs that end well: how results are chosen and encoded, and what a script finds around itself."""

from __future__ import annotations

import base64

from tests.functional.program import Program, contains

ENCODINGS = [
    Program("int", "result = 7", result=7, resultType="int"),
    Program("large_int", "result = 2 ** 70", result=2**70, resultType="int"),
    Program("float", "result = 0.1 + 0.2", result=0.1 + 0.2, resultType="float"),
    Program("bool", "result = True", result=True, resultType="bool"),
    Program("none", "result = None", result=None, resultType="NoneType"),
    Program("text", "result = 'gr\\u00fc\\u00df dich \\U0001f600'", result="grüß dich 😀", resultType="str"),
    Program("lone_surrogate", "result = 'a\\ud800b'", result="a?b", resultType="str"),
    Program("not_a_number", "result = float('nan')", result="NaN", resultType="float"),
    Program("infinities", "[float('inf'), -float('inf')]", result=["Infinity", "-Infinity"], resultType="list"),
    Program("bytes", "result = b'\\x00\\xff'", result=base64.b64encode(b"\0\xff").decode(), resultType="bytes"),
    Program("bytearray", "bytearray(b'abc')", result="YWJj", resultType="bytearray"),
    Program("set", "result = {3, 1, 2}", result=[1, 2, 3], resultType="set"),
    Program("frozenset", "frozenset('a')", result=["a"], resultType="frozenset"),
    Program("tuple", "result = (1, 'a', None)", result=[1, "a", None], resultType="tuple"),
    Program("complex", "result = 1 + 2j", result={"re": 1.0, "im": 2.0}, resultType="complex"),
    Program(
        "datetime",
        "import datetime\nresult = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)",
        result="2026-01-02T03:04:05+00:00",
        resultType="datetime",
    ),
    Program("date", "import datetime\ndatetime.date(2026, 1, 2)", result="2026-01-02", resultType="date"),
    Program("keys_become_text", "{1: 'a', None: 2, (1, 2): 3}", result={"1": "a", "None": 2, "(1, 2)": 3}),
    Program("nested", "{'a': [{'b': (1, {2})}]}", result={"a": [{"b": [1, [2]]}]}, resultType="dict"),
    Program("cycle", "a = [1]\na.append(a)\nresult = a", result=[1, "[1, [...]]"], resultType="list"),
    Program(
        "deep_nesting",
        "a = []\nfor _ in range(5000): a = [a]\nresult = a",
        result=lambda found: isinstance(found, (list, str)),
        resultType="list",
    ),
    Program(
        "depth_of_100_passes", "a = 1\nfor _ in range(100): a = [a]\nresult = a", result=contains(), resultType="list"
    ),
    Program("custom_object", "class A:\n    def __repr__(self): return 'A!'\nA()", result="A!", resultType="A"),
    Program(
        "broken_repr",
        "class A:\n    def __repr__(self): raise ValueError('no')\nresult = A()",
        result="<unrepresentable A: ValueError>",
        resultType="A",
    ),
    Program("decimal", "import decimal\ndecimal.Decimal('1.50')", result="Decimal('1.50')", resultType="Decimal"),
    Program(
        "numpy_array",
        "import numpy as np\nnp.arange(6).reshape(2, 3)",
        result=[[0, 1, 2], [3, 4, 5]],
        resultType="ndarray",
    ),
    Program("numpy_scalar", "import numpy as np\nnp.float64(1.5)", result=1.5, resultType="float64"),
    Program("numpy_integer", "import numpy as np\nnp.int16(3)", result=3, resultType="int16"),
    Program("numpy_bool", "import numpy as np\nnp.bool_(True)", result=True, resultType="bool"),
    Program("numpy_nan", "import numpy as np\nnp.array([1.0, np.nan, np.inf])", result=[1.0, "NaN", "Infinity"]),
    Program("numpy_complex", "import numpy as np\nnp.array([1 + 2j])", result=[{"re": 1.0, "im": 2.0}]),
    Program("numpy_datetime", "import numpy as np\nnp.datetime64('2026-01-02')", result="2026-01-02"),
    Program("numpy_inside", "import numpy as np\n{'a': (np.int8(1), np.zeros(2))}", result={"a": [1, [0.0, 0.0]]}),
]

VALUES = [
    Program("last_expression", "x = 20\nx + 1", result=21, resultType="int"),
    Program("result_wins_over_last_expression", "result = 1\n2", result=1),
    Program("last_statement_without_value", "x = 20", result=None, resultType="NoneType"),
    Program("empty", "", result=None, resultType="NoneType", stdout="", stderr=""),
    Program("only_a_comment", "# nothing", result=None),
    Program("args_as_variables", "[args['a'], a, b]", {"args": {"a": 1, "b": [2]}}, result=[1, 1, [2]]),
    Program(
        "args_that_are_no_names",
        "[sorted(args), 'x-y' in globals(), 'class' in globals()]",
        {"args": {"x-y": 1, "class": 2}},
        result=[["class", "x-y"], False, False],
    ),
    Program(
        "args_never_replace_builtins",
        "[__name__, args]",
        {"args": {"__name__": "x"}},
        result=["__main__", {"__name__": "x"}],
    ),
    Program(
        "stdin", "import sys\n[input(), sys.stdin.read()]", {"stdin": "one\ntwo\nthree"}, result=["one", "two\nthree"]
    ),
    Program("prompt", "name = input('? ')\nname", {"stdin": "Ada\n"}, result="Ada", stdout="? "),
    Program("env", "import os\nos.environ['MINE']", {"env": {"MINE": "ü"}}, result="ü"),
    Program(
        "env_is_minimal",
        "import os\n[n for n in os.environ if n.startswith(('LITHIUM', 'PYTHON', 'GUNICORN', 'VIRTUAL'))]",
        result=[],
    ),
    Program(
        "files_in_and_out",
        """
        import pathlib
        pathlib.Path('out').mkdir()
        pathlib.Path('out/b.txt').write_text(pathlib.Path('in/a.txt').read_text().upper())
        """,
        {
            "files": [
                {"path": "in/a.txt", "content": "grüß"},
                {"path": "in/b.bin", "contentBase64": "AP8="},
            ],
            "outputFiles": ["out/*.txt", "in/*"],
        },
        files=[
            {
                "path": "out/b.txt",
                "size": 6,
                "mimeType": "text/plain",
                "content": base64.b64encode("GRÜSS".encode()).decode(),
            }
        ],
        result=5,
    ),
    Program(
        "binary_file",
        "open('b.bin', 'rb').read()",
        {"files": [{"path": "b.bin", "contentBase64": "AP8="}]},
        result="AP8=",
    ),
    Program(
        "directory_is_empty_and_private",
        "import os\n[os.listdir(), os.getcwd() == os.environ['HOME']]",
        result=[[], True],
    ),
    Program(
        "imports_from_the_given_files",
        "import neighbour\nneighbour.value",
        {"files": [{"path": "neighbour.py", "content": "value = 5"}]},
        result=5,
    ),
    Program("main_guard", "if __name__ == '__main__':\n    print('main')", stdout="main\n"),
    Program("stderr_apart", "import sys\nprint('out')\nprint('err', file=sys.stderr)", stdout="out\n", stderr="err\n"),
    Program("capture_off", "print('x')\n3", {"captureOutput": False}, stdout="", result=3),
]
