"""The grammar of `where`: operators, priorities and literals of the SData 2.0 text [D].

`not` and the unary minus bind closer than anything else there: `not A eq B` is `(not A) eq B`, which no
column fits. `[20240131]` is a date as X3's own language writes it, seen in one user's notes [C].
"""

from __future__ import annotations

from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from local_x3.errors import RestError

GRAMMAR = r"""
start: expression
?expression: conjunction ("or" conjunction)*                    -> any_of
?conjunction: comparison ("and" comparison)*                    -> all_of
?comparison: sum
    | sum COMPARE sum                                           -> compare
    | sum "between" sum "and" sum                               -> between
    | sum "in" "(" sum ("," sum)* ")"                           -> member
    | sum "like" sum                                            -> like
?sum: product
    | sum "+" product                                           -> add
    | sum "-" product                                           -> subtract
?product: unary
    | product "mul" unary                                       -> multiply
    | product "div" unary                                       -> divide
    | product "mod" unary                                       -> modulo
?unary: "not" unary                                             -> negated
    | "-" unary                                                 -> minus
    | atom
?atom: NUMBER                                                   -> number
    | STRING                                                    -> text
    | MOMENT                                                    -> moment
    | DAY                                                       -> day
    | NAME "(" [expression ("," expression)*] ")"               -> call
    | NAME ("." NAME)*                                          -> column
    | "(" expression ")"
COMPARE.2: /(eq|ne|lt|le|gt|ge)(?![A-Za-z0-9_])/
NUMBER: /[0-9]+(\.[0-9]+)?/
STRING: /'(''|[^'])*'/ | /"(""|[^"])*"/
MOMENT: /@[^@]*@/
DAY: /\[[0-9]{8}\]/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
%ignore /[ \t\r\n]+/
"""
BAD_SYNTAX = "BadWhereSyntax"  # the SData code [D]; which HTTP status X3 gives with it is unknown [?]
PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@lru_cache(maxsize=256)
def parse(text: str) -> Tree[Token]:
    """Parse a `where` text.

    Raises:
        RestError: 400 when it is outside the grammar.
    """
    try:
        return PARSER.parse(text)
    except UnexpectedInput as problem:
        message = f"Syntax error in where at position {problem.pos_in_stream}: {text}"
        raise RestError(400, message, code=BAD_SYNTAX) from None
