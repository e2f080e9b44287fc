"""Shell scripts judged by the words a POSIX shell would see, on the same scale of severity as Python.

Words come from ``shlex``; what it cannot split, such as an unfinished quote, is split at white space instead.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

_FORK_BOMB = re.compile(r"([\w:.]+)\s*\(\)\s*\{[^}]*(?<![\w:.])\1\s*\|\s*\1\s*&[^}]*\}")
_SEPARATORS = frozenset({";", "|", "||", "&", "&&", "(", ")", "\n", ";;", "|&"})
_PREFIXES = frozenset(
    {
        "sudo",
        "doas",
        "env",
        "nohup",
        "exec",
        "command",
        "time",
        "then",
        "do",
        "else",
        "if",
        "while",
        "!",
        "{",
        "eval",
        "nice",
    }
)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "python", "python3", "perl"})
_FETCHERS = frozenset({"curl", "wget", "fetch"})
_VITAL = re.compile(
    r"(/+|~|\$\{?HOME\}?|/\.|//?(var|root|dev|proc|sys|opt)|/(etc|bin|sbin|usr|lib|lib64|boot|home)(/[\w.-]+)?)/*\*?"
)
_ONLY_ABSOLUTE = re.compile(r"[/~$].*")
_DEVICE = re.compile(r"(of=)?/dev/(sd[a-z]|nvme\d|hd[a-z]|vd[a-z]|mmcblk|mem|kmem|port)\w*")
_HINTS = re.compile(
    r"^#!.*\b(?:ba|da|k|z)?sh\b|\$\{?\w+|^\s*(?:echo|export|sudo|cd|rm|ls|mkdir|chmod|grep|curl|wget|fi|done|esac"
    r"|apt(?:-get)?|set -[a-z]+)\b(?!\s*[=(.])",
    re.MULTILINE,
)

Finding = tuple[str, str, str, str]
"""Category, command, reason and severity."""

_WARNINGS = {
    ("file", "works with files"): "rm cp mv touch mkdir rmdir ln chmod chown dd tee truncate shred tar unzip",
    ("network", "uses the network"): "curl wget nc ncat ssh scp rsync telnet ftp dig ping",
    ("process", "changes processes or the system"): "kill pkill killall sudo su doas systemctl service mount umount "
    "crontab apt apt-get yum dnf pip",
    ("dynamic", "runs text made at run time"): "eval source . sh bash python python3 perl",
}
_BY_COMMAND = {name: meaning for meaning, names in _WARNINGS.items() for name in names.split()}


def looks_like_shell(code: str) -> bool:
    """Tell whether ``code``, which is not valid Python, reads like a shell script."""
    return _HINTS.search(code) is not None or _FORK_BOMB.search(code) is not None


def vital(path: str) -> bool:
    """Tell whether removing ``path`` takes away what the system or its users need."""
    return _ONLY_ABSOLUTE.match(path) is not None and _VITAL.fullmatch(path) is not None


def destructive_text(text: str) -> bool:
    """Tell whether a shell running ``text`` would do anything critical."""
    return any(severity == "critical" for _, (_, _, _, severity) in shell_findings(text))


def destructive_words(words: list[str]) -> bool:
    """Tell whether running a command of these words would do anything critical."""
    if len(words) > 2 and words[0].rpartition("/")[2] in _SHELLS and words[1] == "-c":
        return destructive_text(words[2])
    return any(finding[3] == "critical" for finding in _judge(words, ""))


def shell_findings(code: str) -> Iterator[tuple[int, Finding]]:
    """Give each finding with the number of its line, from 1."""
    bomb = _FORK_BOMB.search(code) if "()" in code and "|" in code else None
    if bomb is not None:
        yield (
            code.count("\n", 0, bomb.start()) + 1,
            ("fork_bomb", bomb.group()[:80], "starts processes without end", "critical"),
        )
    for number, line in enumerate(code.replace("\\\n", "  ").split("\n"), 1):
        before = ""
        for words in _commands(line) if line.strip() else ():
            for finding in _judge(words, before):
                yield number, finding
            before = _program(words)[0] if words else ""


def _commands(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        words = line.split()
    command: list[str] = []
    for word in words:
        if word in _SEPARATORS:
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _program(words: list[str]) -> tuple[str, list[str]]:
    rest = list(words)
    while rest and (rest[0] in _PREFIXES or re.fullmatch(r"\w+=.*", rest[0])) and len(rest) > 1:
        rest.pop(0)
    return (rest[0].rpartition("/")[2], rest[1:]) if rest else ("", [])


def _judge(words: list[str], before: str) -> Iterator[Finding]:
    program, arguments = _program(words)
    text = " ".join(words)
    if before in _FETCHERS and program in _SHELLS:
        yield "destruction", f"{before} | {program}", "runs what it fetches from the network", "critical"
    elif program == "rm" and _removes_all(arguments):
        yield "destruction", text, "removes what the system or its users need", "critical"
    elif program.startswith("mkfs") or (
        program in ("wipefs", "fdisk", "sfdisk") and any(map(_DEVICE.fullmatch, arguments))
    ):
        yield "destruction", text, "destroys a file system", "critical"
    elif program == "find" and "-delete" in arguments and arguments and vital(arguments[0]):
        yield "destruction", text, "removes what the system or its users need", "critical"
    elif (
        program in ("chmod", "chown")
        and any(a.startswith("-") and "R" in a for a in arguments)
        and vital(arguments[-1])
    ):
        yield "destruction", text, "changes who may use the whole system", "critical"
    elif program in ("shutdown", "reboot", "halt", "poweroff"):
        yield "sandbox", text, "stops the host", "critical"
    elif program in ("nsenter", "chroot", "unshare", "insmod", "modprobe", "gdb", "strace"):
        yield "sandbox", text, "reaches out of the sandbox", "critical"
    elif program == "kill" and arguments[-1:] in (["-1"], ["1"]) and len(arguments) > 1:
        yield "sandbox", text, "kills processes that are not its own", "critical"
    elif _writes_device(program, words):
        yield "destruction", text, "writes to a device", "critical"
    for word in words[:2]:
        name = word.rpartition("/")[2]
        if name in _BY_COMMAND and (name == program or name in _PREFIXES):
            category, reason = _BY_COMMAND[name]
            yield category, name, reason, "warning"
    if any(word.startswith(">") for word in words) and not text.endswith("/dev/null"):
        yield "file", ">", "works with files", "warning"


def _removes_all(arguments: list[str]) -> bool:
    flags = [argument for argument in arguments if argument.startswith("-")]
    recursive = any("r" in flag.lower() for flag in flags if not flag.startswith("--")) or "--recursive" in flags
    return recursive and ("--no-preserve-root" in flags or any(vital(a) for a in arguments if not a.startswith("-")))


def _writes_device(program: str, words: list[str]) -> bool:
    if program in ("dd", "shred", "tee") and any(
        _DEVICE.fullmatch(w) and (program != "dd" or w.startswith("of=")) for w in words
    ):
        return True
    return any(a in (">", ">>") and _DEVICE.fullmatch(b) for a, b in pairwise(words))
