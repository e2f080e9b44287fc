"""The budget of an analysis, checked on the text alone, so that no text can make the parser slow or deep."""

from __future__ import annotations

import re

MAX_BRACKET_DEPTH = 60
MAX_INDENT_DEPTH = 40
MAX_OPERATOR_RUN = 400

# Strings and comments are skipped, so that brackets within them do not count. An unfinished string ends with its line.
_TOKENS = re.compile(
    r"'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^\\\n']|\\.)*'?|\"(?:[^\\\n\"]|\\.)*\"?|#[^\n]*|[()\[\]{}]",
    re.DOTALL,
)
_DEEP_INDENT = re.compile(rf"^[ \t]{{{MAX_INDENT_DEPTH},}}", re.MULTILINE)
_INDENT = re.compile(r"^([ \t]*)[^\s#]", re.MULTILINE)
# Prefix operators, powers, lambdas and conditionals nest to the right without any bracket.
_OPERATOR_RUN = re.compile(
    rf"(?:(?:not|await|lambda\s*:|[-+~])\s*){{{MAX_OPERATOR_RUN}}}|(?:\*\*\s*[\w.]+\s*){{{MAX_OPERATOR_RUN}}}"
)


def over_budget(code: str, max_code_bytes: int) -> str | None:
    """Say in words why ``code`` is too large or too deep to be parsed quickly; None where it is not."""
    if len(code) > max_code_bytes or len(code.encode("utf-8", "surrogatepass")) > max_code_bytes:
        return "too large to analyse"
    if _too_many_brackets(code) or _too_much_indent(code) or _OPERATOR_RUN.search(code):
        return "too deeply nested to analyse"
    return None


def _too_many_brackets(code: str) -> bool:
    if code.count("(") + code.count("[") + code.count("{") <= MAX_BRACKET_DEPTH:
        return False
    depth = 0
    for match in _TOKENS.finditer(code):
        token = match.group()
        if token in "([{":
            depth += 1
            if depth > MAX_BRACKET_DEPTH:
                return True
        elif token in ")]}" and depth:
            depth -= 1
    return False


def _too_much_indent(code: str) -> bool:
    if not _DEEP_INDENT.search(code):
        return False
    levels = [0]
    for match in _INDENT.finditer(code):
        width = len(match.group(1).expandtabs(8))
        while width < levels[-1]:
            levels.pop()
        if width > levels[-1]:
            levels.append(width)
            if len(levels) > MAX_INDENT_DEPTH:
                return True
    return False
