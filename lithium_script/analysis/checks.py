"""The further conditions of rules: what a call must be given, or where it must stand, to be the danger named."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from lithium_script.analysis.names import Names
from lithium_script.analysis.shell import destructive_text, destructive_words, vital

_HOST_FILES = re.compile(
    r"/etc/(g?shadow|sudoers)|/proc/(1|self|\d+)/(mem|root|environ|ns)|/proc/(kcore|sysrq-trigger)|/dev/(k?mem|port|sd[a-z]|nvme|hd[a-z]|vd[a-z])"
    r"|(/var)?/run/(docker|containerd)[\w./]*\.sock|(/root|/home/[\w.-]+|~)/\.ssh/(id_|authorized_keys)|/sys/fs/cgroup/.*release_agent|/proc/sys/kernel/core_pattern"
)
_SYSTEM_DIRECTORIES = re.compile(r"/(etc|bin|sbin|usr|lib|lib64|boot|proc|sys)(/|$)|/dev/(sd|nvme|hd|vd|mem|kmem)")
_ENDINGS = ("os._exit", "sys.exit", "exit", "quit", "os.wait", "os.waitpid", "os.execv", "os.execvp", "os.abort")


def words_of(names: Names, node: ast.expr) -> list[str] | None:
    """Read a list of constant words; a part that is not constant reads as ``?``."""
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    return [str(value) if (value := names.constant(part)) is not None else "?" for part in node.elts]


def shell(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether the call runs a command that is critical as a shell's."""
    for argument in call.args:
        words = words_of(names, argument)
        value = names.constant(argument)
        if words is not None and destructive_words(words):
            return True
        if isinstance(value, str) and destructive_text(value):
            return True
    plain = [value for argument in call.args if isinstance(value := names.constant(argument), str)]
    return len(plain) > 2 and destructive_words(plain[1:])


def vital_path(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether the call is given a path that the system or its users need."""
    values = [names.constant(argument) for argument in [*call.args[:1], *(k.value for k in call.keywords)]]
    if call.args and names.resolve(call.args[0]) == "os.path.expanduser()":
        values.append("~")
    return any(isinstance(value, str) and vital(value) for value in values)


def host_path(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether the file is a secret, a device or a handle of the host."""
    value = names.constant(call.args[0]) if call.args else None
    return isinstance(value, str) and _HOST_FILES.match(value) is not None


def system_write(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether a file of the system is opened to be written."""
    value = names.constant(call.args[0]) if call.args else None
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    mode = names.constant(modes[0]) if modes else "r"
    writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
    return writes and isinstance(value, str) and _SYSTEM_DIRECTORIES.match(value) is not None


def foreign_process(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether the process is every one, the first one or the parent."""
    target = call.args[0] if call.args else None
    if target is None:
        return False
    return names.constant(target) in (-1, 0, 1) or names.resolve(target) == "os.getppid()"


def endless(names: Names, call: ast.Call, loops: list[ast.AST]) -> bool:
    """Tell whether the process is started without end: in an endless loop that nothing leaves, or by calling itself."""
    if names.resolve(call.func) not in ("os.fork", "os.forkpty"):
        # Other processes multiply only where they run this very script again.
        text = ast.dump(call)
        if "'__file__'" not in text and "attr='argv'" not in text:
            return False
    return any(_has_no_end(names, loop) and not _ends(names, loop) for loop in loops)


def _has_no_end(names: Names, loop: ast.AST) -> bool:
    if isinstance(loop, ast.While):
        return bool(names.constant(loop.test))
    if isinstance(loop, ast.FunctionDef):
        return any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == loop.name
            for node in ast.walk(loop)
        )
    iterables = [loop.iter] if isinstance(loop, ast.For) else [g.iter for g in getattr(loop, "generators", ())]
    for iterable in iterables:
        name = names.resolve(iterable)
        if name in ("itertools.count()", "itertools.repeat()", "itertools.cycle()", "iter()"):
            return True
        if name == "range()" and isinstance(iterable, ast.Call) and len(iterable.args) <= 2:
            count = names.constant(iterable.args[-1])
            if isinstance(count, int) and count > 16:
                return True
    return False


def _ends(names: Names, loop: ast.AST) -> bool:
    for node in ast.walk(loop):
        if isinstance(node, ast.Break | ast.Return):
            return True
        if isinstance(node, ast.Call) and names.resolve(node.func) in _ENDINGS:
            return True
    return False


# What decorators and bound methods keep, and tools that read signatures go through.
_OF_FUNCTIONS = frozenset({"__func__", "__wrapped__"})
CHECKS: dict[str, Callable[[Names, ast.Call, list[ast.AST]], bool]] = {
    "shell": shell,
    "vital_path": vital_path,
    "host_path": host_path,
    "system_write": system_write,
    "foreign_process": foreign_process,
    "endless": endless,
}


def escapes(attribute: str, chain: tuple[str, ...]) -> bool:
    """Tell whether ``attribute``, reached through ``chain``, climbs out of the object to all of the interpreter."""
    before = set(chain)
    if attribute == "__subclasses__":
        return bool(before & {"__base__", "__bases__", "__mro__", "mro", "<literal>", "<object>"})
    if attribute in ("__globals__", "func_globals"):
        return any(name.startswith("__") for name in before - _OF_FUNCTIONS)
    if attribute == "f_builtins":
        return True
    if attribute in ("f_back", "f_globals"):
        return bool(before & {"gi_frame", "cr_frame", "ag_frame", "tb_frame"})
    return attribute == "__builtins__" and bool(before & {"__globals__", "f_globals", "f_back"})
