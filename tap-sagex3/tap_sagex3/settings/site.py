"""How this site differs from the built-in declarations."""

from __future__ import annotations

from tap_sagex3.settings.declare import Property, setting

STREAM_OPTION_PROPERTIES: dict[str, Property] = {
    "api": {"type": ["string", "null"], "enum": ["auto", "graphql", "rest", None]},
    "class": {"type": ["string", "null"]},
    "representation": {"type": ["string", "null"]},
    "package": {"type": ["string", "null"]},
    "node": {"type": ["string", "null"]},
    "key": {"type": ["array", "null"], "items": {"type": "string"}},
    "change_field": {"type": ["string", "null"]},
    "where": {"type": ["string", "null"]},
    "filter": {"type": ["object", "null"]},
    "details_representation": {"type": ["string", "null"]},
    "fields": {"type": ["array", "null"], "items": {"type": "object"}},
    "collections": {"type": ["object", "null"]},
    "line_classes": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
}

SITE: dict[str, Property] = {
    "stream_options": setting(
        "Stream options",
        "Names on this site, by stream: api, class, representation, details_representation, package, node, "
        "key, change_field, where, filter, line_classes, fields, collections. For a stream with several "
        "kinds of documents, all but api, fields and collections can be given by kind.",
        type=["object", "null"],
        default={},
        additionalProperties={"type": "object"},
    ),
    "custom_streams": setting(
        "Custom streams",
        "Entities of the site's own, in the form of the built-in entity files: name, description, source, "
        "stream.",
        type=["array", "null"],
        items={"type": "object"},
        default=[],
    ),
    "optional_streams": setting(
        "Optional streams",
        "Streams that are skipped with a warning when this site cannot give them; any other fails the run.",
        type=["array", "null"],
        items={"type": "string"},
        default=[],
    ),
    "dimension_names": setting(
        "Dimension names",
        "Column name for a dimension type, for example {CCT: costCenter}. Default: dimension and the code.",
        type=["object", "null"],
        default={},
        additionalProperties={"type": "string"},
    ),
}
