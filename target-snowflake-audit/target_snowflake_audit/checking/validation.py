"""JSON schema validation: the stream's own schema, compiled once, all problems of a bad record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.converters import json_text, told
from target_snowflake_audit.checking.drafts import current
from target_snowflake_audit.checking.problems import Problem, shown, utf8
from target_snowflake_audit.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_snowflake_audit.values import Json

_DEPTH = 100
"""Levels of a record that are looked at where the whole nests too deeply to be told what is wrong with it."""
# These are checked by the converters, exactly and with the column's own limits; here they would be checked
# with binary numbers (multipleOf) or twice.
_LEFT_TO_CONVERTERS = frozenset({"multipleOf", "maxLength", "format"})
_UNDECLARED = (
    jsonschema_rs.ValidationErrorKind.AdditionalProperties,
    jsonschema_rs.ValidationErrorKind.UnevaluatedProperties,
)
"""Rules that a record breaks by properties that the schema does not name."""


class Validator:
    """The compiled schema of one stream."""

    def __init__(self, schema: Mapping[str, Any], stream: str) -> None:
        """Compile the schema.

        Raises:
            SchemaError: the schema itself is not valid.
        """
        try:
            self._validator = jsonschema_rs.validator_for(_lean(schema))
        except ValueError as error:
            reason = str(error).splitlines()[0]
            message = f"stream {stream}: the SCHEMA message holds no valid JSON schema: {reason}"
            raise SchemaError(message) from None
        self.is_valid: Callable[[dict[str, Any]], bool] = self._validator.is_valid
        self._source = (schema, stream)

    def __reduce__(self) -> tuple[type[Validator], tuple[Mapping[str, Any], str]]:
        """Another process compiles the schema for itself."""
        return Validator, self._source

    def problems(self, record: dict[str, Any], columns: Mapping[str, str]) -> list[Problem]:
        """Give every problem of a record; `columns` are column names by property."""
        try:
            errors = list(self._validator.iter_errors(record))
        except ValueError:  # it follows a value that does not fit only so deep
            record = _shallow(record, _DEPTH)
            errors = list(self._validator.iter_errors(record))
        found = [problem for error in errors for problem in self._problems(error, columns, record)]
        return found or [Problem("", "", "", problems.NOT_IN_SCHEMA, "a record that fits the schema")]

    def _problems(
        self, error: jsonschema_rs.ValidationError, columns: Mapping[str, str], record: dict[str, Any]
    ) -> list[Problem]:
        if error.instance_path or not isinstance(error.kind, _UNDECLARED):
            return [self._problem(error, columns, record)]
        expected = f"no property of this name: `{error.kind.name}` of the schema allows only declared ones"
        return [
            Problem(utf8(name), columns.get(name, ""), _said(record[name]), problems.NOT_IN_SCHEMA, expected)
            for name in error.kind.unexpected
        ]

    def _problem(
        self, error: jsonschema_rs.ValidationError, columns: Mapping[str, str], record: dict[str, Any]
    ) -> Problem:
        path = list(error.instance_path)
        kind = error.kind
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) and not path:
            name = str(kind.property)
            return Problem(
                name, columns.get(name, ""), "", problems.MISSING, "a value: the property is required"
            )
        name = str(path[0]) if path else ""
        value = _said(_at(record, path))
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Type):
            expected = "a value of type " + " or ".join(str(one) for one in kind.types)
            return Problem(name, columns.get(name, ""), value, problems.NOT_OF_TYPE, expected)
        # The rule alone: the error's own message would repeat the value, which may be long.
        expected = f"a value that fits `{kind.name}` of the schema"
        return Problem(name, columns.get(name, ""), value, problems.NOT_IN_SCHEMA, expected)


def _said(value: Json) -> str:
    return shown(json_text(value)) if isinstance(value, str) else told(value)


def _shallow(value: Json, levels: int) -> Json:
    """Leave out what nests deeper than so many levels."""
    if isinstance(value, dict):
        return {name: _shallow(part, levels - 1) for name, part in value.items()} if levels else {}
    if isinstance(value, list):
        return [_shallow(part, levels - 1) for part in value] if levels else []
    return value


def _at(value: Json, path: list[Any]) -> Json:
    for part in path:
        value = value[part]
    return value


def _lean(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the converters check, in the record's own properties."""
    lean = {key: value for key, value in current(schema).items() if key != "$schema"}
    given = lean.get("properties")
    if isinstance(given, dict):
        lean["properties"] = {
            name: {key: rule for key, rule in part.items() if key not in _LEFT_TO_CONVERTERS}
            if isinstance(part, dict)
            else part
            for name, part in given.items()
        }
    return lean
