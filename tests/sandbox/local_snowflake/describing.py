"""What a statement would answer, without running it.

Rule restored: a request with `describeOnly` changes nothing. Connector 5 sends one before it binds many rows,
and both send one for `cursor.describe()`; the answer says how many values the statement binds, and that an
INSERT takes them as arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import access, dml, results
from .column_types import to_duck
from .resolve import resolve
from .translate import translate

if TYPE_CHECKING:
    from .engine import Call
    from .results import Result

_CHANGES = {
    "INSERT": (statement_type.INSERT, {"inserted": 0}),
    "UPDATE": (statement_type.UPDATE, {"updated": 0}),
    "DELETE": (statement_type.DELETE, {"deleted": 0}),
}


def described(call: Call) -> Result:
    """The shape of the answer, without rows."""
    kind, tree = call.statement.kind, call.statement.tree
    places = list(tree.find_all(exp.Placeholder))
    for place in places:
        place.replace(exp.Null())
    if kind == "SELECT":
        result = _query(call, tree)
    elif kind in _CHANGES:
        resolve(tree, call.session, call.world.catalogue)
        type_id, changed = _CHANGES[kind]
        result = results.counts(type_id, **changed)
    else:
        result = results.status()
    result.table, result.rows = result.table.slice(0, 0), 0
    result.extra = {"numberOfBinds": len(places), "arrayBindSupported": kind == "INSERT"}
    return result


def _query(call: Call, tree: exp.Expression) -> Result:
    uses = resolve(tree, call.session, call.world.catalogue)
    access.check(call, uses)
    sql = to_duck(translate(tree, call.session, call.now))
    with dml.running(call, uses):
        return results.shape(call.session.duck, sql)
