"""The SQL contract: which statements a loader may send.

Nothing of the target runs on a real account in a test, so it keeps to forms whose documentation somebody
has read. `tests/contract/README.md` describes the registry; this module reads it and refuses everything else.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from .errors import SnowflakeError
from .outline import OutlineError, outline
from .resolve import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .statements import Statement

_REQUIRED = {"page", "rule", "why", "example"}
_PAGES = "https://docs.snowflake.com/en/"
# Nodes without a meaning of their own: names, lists, and what a registered parent brings along.
_PLUMBING = (
    exp.Identifier, exp.Var, exp.Column, exp.Table, exp.TableAlias, exp.Schema, exp.Tuple, exp.Paren,
    exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.From, exp.Whens, exp.When, exp.DataTypeParam,
    exp.ColumnDef, exp.ColumnConstraint, exp.Property, exp.Properties, exp.CopyParameter, exp.Credentials,
    exp.Parameter, exp.SetItem, exp.AlterSession, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey,
    exp.JSONPathSubscript, exp.Ordered, exp.WindowSpec, exp.With, exp.Placeholder, exp.Command,
    exp.Interval, exp.SchemaCommentProperty, exp.CommentColumnConstraint, exp.TemporaryProperty,
    exp.TransientProperty, exp.PrimaryKey, exp.PropertyEQ, exp.JSONKeyValue, exp.Kwarg,
    exp.IndexParameters,
)  # fmt: skip
_ROOTS = (
    exp.Select, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy, exp.Put, exp.ListStage, exp.Create,
    exp.Alter, exp.Drop, exp.Show, exp.Describe, exp.Use, exp.Transaction, exp.Commit, exp.Rollback,
    exp.TruncateTable, exp.Comment,
)  # fmt: skip
_GRAMMAR = (exp.And, exp.Or, exp.Case, exp.Cast, exp.TryCast, exp.Exists, exp.Any, exp.All)


@dataclass(frozen=True)
class Form:
    """One statement form. `shape`: a regular expression on the statement as `outline` writes it."""

    id: str
    kind: str
    shape: re.Pattern[str]
    page: str


def function_key(node: exp.Func) -> str:
    """How the registry knows a function: by sqlglot's class, or by name where it has none."""
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper()
    if isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate"):
        return "SYSDATE"
    return type(node).__name__


class Contract:
    """The registry, read from a folder of TOML files."""

    def __init__(self, folder: Path) -> None:
        """Read every `*.toml` of a folder.

        Raises:
            ValueError: for an entry that lacks something or whose example does not parse.
        """
        self.forms: list[Form] = []
        self.functions: set[str] = set()
        self.types: set[str] = set()
        self.nodes: set[str] = set()
        self.entries: list[tuple[str, str, dict[str, Any]]] = []
        for file in sorted(folder.glob("*.toml")):
            for kind, listed in tomllib.loads(file.read_text(encoding="utf-8")).items():
                for entry in listed:
                    self._read(f"{file.name}: [[{kind}]] {entry.get('id')}", kind, entry)

    def check(self, statement: Statement) -> None:
        """Refuse a statement that the registry does not hold.

        Raises:
            SnowflakeError: 1003, naming the registry and the part that is missing there.
        """
        try:
            line = outline(statement.text)
        except OutlineError as error:
            what = f"not to be read in one way only: {error}"
            raise _refused(what) from None
        if not any(form.kind == statement.kind and form.shape.fullmatch(line) for form in self.forms):
            what = f"no [[statement]] of kind {statement.kind} has this shape: {line[:300]}"
            raise _refused(what)
        for missing in self._missing(statement.tree):
            raise _refused(missing)

    def form_of(self, statement: Statement) -> Form | None:
        """The form that a statement matches."""
        line = outline(statement.text)
        return next((f for f in self.forms if f.kind == statement.kind and f.shape.fullmatch(line)), None)

    def _missing(self, tree: exp.Expression) -> Iterator[str]:
        yield from _unquoted(tree)
        for node in tree.walk():
            if isinstance(node, exp.DataType):
                if node.this.name not in self.types:
                    yield f"the type {node.sql(dialect='snowflake')} has no [[type]] entry"
            elif isinstance(node, exp.Func) and not isinstance(node, _GRAMMAR):
                if function_key(node) not in self.functions and type(node).__name__ not in self.nodes:
                    yield f"the function {node.sql(dialect='snowflake')[:80]} has no [[function]] entry"
            elif not isinstance(node, (*_PLUMBING, *_ROOTS)) and type(node).__name__ not in self.nodes:
                text = node.sql(dialect="snowflake")[:80]
                yield f"{type(node).__name__} ({text}) is in no [[clause]] entry's nodes"

    def _read(self, where: str, kind: str, entry: dict[str, Any]) -> None:
        try:
            self._add(where, kind, entry)
        except (sqlglot.errors.SqlglotError, re.error, KeyError) as error:
            msg = f"{where}: {error}"
            raise ValueError(msg) from error

    def _add(self, where: str, kind: str, entry: dict[str, Any]) -> None:
        lacking = sorted(_REQUIRED - entry.keys())
        if lacking or not str(entry["page"]).startswith(_PAGES):
            msg = f"{where}: needs {', '.join(lacking) or f'a page that starts with {_PAGES}'}"
            raise ValueError(msg)
        self.entries.append((where, kind, entry))
        if kind == "statement":
            shape = re.compile(str(entry["shape"]), re.IGNORECASE | re.DOTALL)
            self.forms.append(Form(str(entry["id"]), str(entry["kind"]), shape, str(entry["page"])))
        elif kind == "function":
            self.functions |= _functions_of(str(entry["example"]))
        elif kind == "type":
            cast = sqlglot.parse_one(f"SELECT CAST(x AS {entry['example']})", read="snowflake")
            self.types |= {found.this.name for found in cast.find_all(exp.DataType)}
        elif kind == "clause":
            self.nodes |= set(entry["nodes"])
        else:
            msg = f"{where}: an entry is a statement, function, type or clause"
            raise ValueError(msg)


def _unquoted(tree: exp.Expression) -> Iterator[str]:
    """Tables named without quotes, whose case would be Snowflake's choice."""
    common = {identifier(cte.args["alias"].this) for cte in tree.find_all(exp.CTE) if cte.args.get("alias")}
    for node in tree.find_all(exp.Table):
        parts = [p for p in (node.args.get("catalog"), node.args.get("db"), node.this) if p is not None]
        if not all(isinstance(part, exp.Identifier) for part in parts):
            continue
        shown = [identifier(part) for part in parts]
        plain = [part.name for part in parts if not part.args.get("quoted")]
        if plain and not (len(parts) == 1 and shown[0] in common) and "INFORMATION_SCHEMA" not in shown:
            yield f"the table name {'.'.join(plain)} without quotes is in no entry"


def _functions_of(example: str) -> set[str]:
    """The keys of the function that an example calls; sqlglot may write one call as several nodes."""
    whole = example if example.upper().startswith("SELECT ") else f"SELECT {example}"
    tree = sqlglot.parse_one(whole, read="snowflake")
    return {function_key(node) for node in tree.find_all(exp.Func) if not isinstance(node, _GRAMMAR)}


def _refused(what: str) -> SnowflakeError:
    message = f"SQL compilation error:\nnot in the SQL contract (tests/contract, see its README.md): {what}"
    return SnowflakeError(1003, "42000", message)
