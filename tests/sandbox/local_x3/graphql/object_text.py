"""JSON5-like texts of `filter` and `orderBy`: single or double quotes, bare names, trailing commas [D]."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from local_x3.errors import FilterError

GRAMMAR = r"""
start: value
?value: object | array
    | STRING        -> text
    | NUMBER        -> number
    | "true"        -> true
    | "false"       -> false
    | "null"        -> null
object: "{" [pair ("," pair)* [","]] "}"
array: "[" [value ("," value)* [","]] "]"
pair: (NAME | STRING) ":" value
STRING: /'(\\.|[^'\\])*'/s | /"(\\.|[^"\\])*"/s
NUMBER: /[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?(?![\w.])/
NAME: /[A-Za-z_$][A-Za-z0-9_$]*/
%ignore /\s+/
"""
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
MAX_LENGTH = 200_000
MAX_DEPTH = 60

Parsed = object  # dict[str, Parsed] | list[Parsed] | str | Decimal | bool | None


def _unquote(text: str) -> str:
    def repl(match: re.Match[str]) -> str:
        body = match.group(1)
        if len(body) > 1:
            return chr(int(body[1:], 16))
        return ESCAPES.get(body, body)

    found = re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", repl, text[1:-1], flags=re.DOTALL)
    # halves of a pair become one character, as in JavaScript; a lonely one cannot be written as UTF-8
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class _Build(Transformer[Token, Parsed]):
    @v_args(inline=True)
    def start(self, value: Parsed) -> Parsed:
        return value

    def object(self, pairs: list[tuple[str, Parsed]]) -> dict[str, Parsed]:
        found: dict[str, Parsed] = {}
        for name, value in pairs:
            if (
                name in found
            ):  # JSON5 keeps the last one silently; a lost condition is worse than a refusal [?]
                msg = f"{name} is given twice in one object"
                raise FilterError(msg)
            found[name] = value
        return found

    def array(self, values: list[Parsed]) -> list[Parsed]:
        return list(values)

    @v_args(inline=True)
    def pair(self, name: Token, value: Parsed) -> tuple[str, Parsed]:
        return (_unquote(name) if name.type == "STRING" else str(name), value)

    @v_args(inline=True)
    def text(self, token: Token) -> str:
        return _unquote(token)

    @v_args(inline=True)
    def number(self, token: Token) -> Decimal:
        return Decimal(token)

    def true(self, _: list[Parsed]) -> bool:
        return True

    def false(self, _: list[Parsed]) -> bool:
        return False

    def null(self, _: list[Parsed]) -> None:
        return None


PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=256)
def parse_object_text(text: str, argument: str) -> Parsed:
    """Parse the text of `filter` or `orderBy` (`argument` names it in errors).

    Raises:
        FilterError: the text is not a JSON5-like value.
    """
    if len(text) > MAX_LENGTH or max(text.count("{"), text.count("[")) > MAX_LENGTH:
        msg = f"{argument} is too long"
        raise FilterError(msg)
    try:
        tree = PARSER.parse(text)
        _check_depth(text, argument)
        return _Build().transform(tree)
    except UnexpectedInput as problem:
        msg = f"{argument}: syntax error at position {problem.pos_in_stream}: {text[:200]}"
        raise FilterError(msg) from None
    except VisitError as problem:
        known = isinstance(problem.orig_exc, FilterError)
        msg = f"{argument}: {problem.orig_exc if known else 'a value cannot be read'}"
        raise FilterError(msg) from None


def _check_depth(text: str, argument: str) -> None:
    depth = 0
    for char in re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"", "", text, flags=re.DOTALL):
        depth += (char in "{[") - (char in "}]")
        if depth > MAX_DEPTH:
            msg = f"{argument} is nested too deeply"
            raise FilterError(msg)
