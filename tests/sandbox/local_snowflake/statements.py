"""What kind of statement a text is, and which stage commands it holds.

sqlglot's Snowflake dialect parses everything it can; for the commands it keeps as text (REMOVE, GRANT,
CREATE ROLE, ...) the kind is read from the first words.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from .errors import SnowflakeError, from_exception, syntax, unsupported

logging.getLogger("sqlglot").setLevel(logging.ERROR)

_TREES: dict[type[exp.Expression], str] = {
    exp.Select: "SELECT",
    exp.Union: "SELECT",
    exp.Except: "SELECT",
    exp.Intersect: "SELECT",
    exp.Subquery: "SELECT",
    exp.Values: "SELECT",
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE",
    exp.Copy: "COPY",
    exp.Put: "PUT",
    exp.ListStage: "LIST",
    exp.Get: "GET",
    exp.Show: "SHOW",
    exp.Describe: "DESCRIBE",
    exp.Commit: "COMMIT",
    exp.Rollback: "ROLLBACK",
    exp.Transaction: "BEGIN",
    exp.Use: "USE",
    exp.Grant: "GRANT",
    exp.Revoke: "REVOKE",
    exp.Comment: "COMMENT",
}
_KINDED = {exp.Create: "CREATE", exp.Drop: "DROP", exp.Alter: "ALTER"}
_COMMANDS = (
    ("REMOVE", r"(REMOVE|RM)\s"),
    ("LIST", r"(LIST|LS)\s"),
    ("BEGIN", r"START\s+TRANSACTION\s*;?\s*$"),
    ("DESCRIBE", r"(DESC|DESCRIBE)\s+(USER|TRANSACTION)\s"),
    ("GRANT", r"GRANT\s"),
    ("REVOKE", r"REVOKE\s"),
    ("SHOW", r"SHOW\s"),
    ("DESCRIBE", r"(DESC|DESCRIBE)\s"),
    ("ALTER SESSION", r"ALTER\s+SESSION\s"),
    ("SET", r"(SET|UNSET)\s"),
)
_OBJECT = re.compile(
    r"(CREATE|ALTER|DROP)\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:TEMP(?:ORARY)?\s+|TRANSIENT\s+)?(FILE\s+FORMAT|\w+)",
    re.IGNORECASE,
)
WAREHOUSE_FREE = {
    "PUT", "LIST", "REMOVE", "GET", "BEGIN", "COMMIT", "ROLLBACK", "SHOW", "DESCRIBE", "USE", "ALTER SESSION",
    "GRANT", "REVOKE", "COMMENT", "SET", "LOGIN",
}  # fmt: skip


@dataclass
class Statement:
    """A parsed statement. `kind`: its first words, such as `INSERT` or `CREATE TABLE`."""

    text: str
    kind: str
    tree: exp.Expression

    @property
    def bare(self) -> str:
        """The text without leading comments."""
        return _bare(self.text)

    @property
    def is_ddl(self) -> bool:
        """Whether it commits the open transaction (transactions page)."""
        return self.kind.split()[0] in {"CREATE", "DROP", "ALTER", "GRANT", "REVOKE", "COMMENT"} and (
            self.kind != "ALTER SESSION"
        )

    @property
    def needs_warehouse(self) -> bool:
        """Whether running it resumes a warehouse; what is unknown counts as needing one."""
        if self.kind == "CREATE TABLE" and self.tree.args.get("expression") is not None:
            return True
        if self.kind == "SELECT":
            return self.tree.find(exp.Table) is not None
        return not (self.is_ddl or self.kind in WAREHOUSE_FREE)


def parse(text: str) -> Statement:
    """Parse one statement.

    Raises:
        SnowflakeError: 1003 when it does not parse, 8 when there are several, 900 when there is none.
    """
    if whole := _text_command(text):
        return whole
    try:
        trees = [t for t in sqlglot.parse(text, read="snowflake") if isinstance(t, exp.Expression)]
        trees = [t for t in trees if not isinstance(t, exp.Semicolon)]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise from_exception(error) from None
    if not trees:
        message = "SQL compilation error:\nEmpty SQL statement."
        raise SnowflakeError(900, "42601", message)
    if len(trees) > 1:
        message = f"Actual statement count {len(trees)} did not match the desired statement count 1."
        raise SnowflakeError(8, "0A000", message)
    tree = trees[0]
    _refuse_foreign(tree)
    return Statement(text, _kind(tree, text), tree)


def _refuse_foreign(tree: exp.Expression) -> None:
    """Refuse what only DuckDB knows in FROM: functions without TABLE(), and those that read files.

    Raises:
        SnowflakeError: 1003, or 0A000 inside of TABLE().
    """
    for source in tree.find_all(exp.Table, exp.Unnest):
        if isinstance(source, exp.Unnest) or isinstance(source.this, exp.Func):
            word = "UNNEST" if isinstance(source, exp.Unnest) else source.this.sql(dialect="snowflake")
            message = f"unexpected '{word.partition('(')[0]}'"
            raise syntax(message)
    for rows in tree.find_all(exp.TableFromRows):
        if isinstance(rows.this, exp.ReadCSV):
            raise unsupported(rows.sql(dialect="snowflake"))


def parsed(text: str) -> Statement | None:
    """Like `parse`; None for what does not parse."""
    try:
        return parse(text)
    except SnowflakeError:
        return None


def kind_of(text: str) -> str:
    """The kind of a statement, empty for what does not parse."""
    statement = parsed(text)
    return statement.kind if statement else ""


def _bare(text: str) -> str:
    return re.sub(r"^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*", "", text, flags=re.DOTALL).rstrip()


def _text_command(text: str) -> Statement | None:
    """REMOVE and its like hold paths that a tokenizer would cut at `//`; they never reach sqlglot."""
    stripped = _bare(text)
    for kind, pattern in _COMMANDS[:4]:
        if re.match(pattern, stripped + " ", re.IGNORECASE):
            command = exp.Command(this=kind, expression=stripped.rstrip().rstrip(";").rstrip())
            return Statement(text, kind, command)
    return None


def _kind(tree: exp.Expression, text: str) -> str:
    for tree_type, word in _KINDED.items():
        if isinstance(tree, tree_type):
            return f"{word} {str(tree.args.get('kind') or '').upper()}"
    kind = _TREES.get(type(tree))
    if kind:
        return kind
    stripped = _bare(text)
    for command, pattern in _COMMANDS:
        if re.match(pattern, stripped, re.IGNORECASE):
            return command
    if named := _OBJECT.match(stripped):
        return f"{named[1].upper()} {' '.join(named[2].upper().split())}"
    word = stripped.split(None, 1)[0] if stripped else ""
    message = f"unexpected '{word}'"
    raise syntax(message)


def split_script(script: str) -> list[str]:
    """The statements of a script, without empty ones; semicolons in text and comments do not split."""
    found, start, position, ends = [], 0, 0, {"'": "'", '"': '"', "--": "\n", "/*": "*/", "$$": "$$"}
    while position < len(script):
        opener = next((o for o in ends if script.startswith(o, position)), None)
        if opener:
            end = script.find(ends[opener], position + len(opener))
            position = len(script) if end < 0 else end + len(ends[opener])
        elif script[position] == ";":
            found.append(script[start:position])
            position += 1
            start = position
        else:
            position += 1
    found.append(script[start:])
    return [s.strip() for s in found if re.sub(r"--[^\n]*|/\*.*?\*/", "", s, flags=re.DOTALL).strip()]
