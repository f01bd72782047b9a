"""PUT, LIST and REMOVE.

Rules restored: both connectors upload over a signed address, never by a path on the server; LIST and REMOVE
take a prefix and a PATTERN (list and remove pages).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as url_quote

from fakesnow import statement_type
from sqlglot import exp

from . import access, quoted_names, results
from .errors import syntax

if TYPE_CHECKING:
    from .engine import Call
    from .results import Result
    from .stages import Location, StagedFile

# What the connectors look for in an upload address to know that they may ask not to overwrite.
SIGNED_HEADERS = (
    "X-Goog-SignedHeaders=content-encoding%3Bhost%3Bx-goog-if-generation-match%3B"
    "x-goog-meta-encryptiondata%3Bx-goog-meta-matdesc%3Bx-goog-meta-sfc-digest"
)


def locate(call: Call, reference: str, privilege: str) -> Location:
    """The stage and path of a reference, checked; `privilege` is READ or WRITE.

    Raises:
        SnowflakeError: 1003 for no reference, 2003 for a missing stage.
    """
    session = call.session
    location = call.world.stages.locate(
        reference,
        session.database,
        session.schema,
        session.user.name,
        ignore_case=quoted_names.ignored(session),
    )
    call.world.stages.require(location.stage)
    access.require_stage(call, location.stage, privilege)
    return location


def options(tree: exp.Expression) -> dict[str, Any]:
    """`NAME = value` properties by upper-case name."""
    found: dict[str, Any] = {}
    for item in tree.args.get("properties") or []:
        value = item.args.get("value")
        if isinstance(value, exp.Boolean):
            found[item.name.upper()] = bool(value.this)
        else:
            found[item.name.upper()] = value.name if value is not None else None
    return found


def put(call: Call) -> Result:
    """PUT file://... @stage/path: the order that tells the client where to upload."""
    tree = call.statement.tree
    location = locate(call, tree.args["target"].name, "WRITE")
    source = re.sub(r"^file://(localhost(?=/))?", "", tree.this.name)
    chosen = options(tree)
    result = results.status(type_id=statement_type.UNKNOWN)
    result.put = {
        "location": location,
        "source": source,
        "auto_compress": chosen.get("AUTO_COMPRESS", True),
        "overwrite": chosen.get("OVERWRITE", False),
        "source_compression": str(chosen.get("SOURCE_COMPRESSION") or "auto_detect").lower(),
        "parallel": int(chosen.get("PARALLEL") or 4),
    }
    return result


def upload_order(call_put: dict[str, Any], bucket_path: str, base_url: str) -> dict[str, Any]:
    """The answer to PUT in the form of a signed address, which both connectors upload to over HTTP."""
    return {
        "command": "UPLOAD",
        "operation": "Node",
        "src_locations": [call_put["source"]],
        "parallel": call_put["parallel"],
        "threshold": 209715200,
        "autoCompress": call_put["auto_compress"],
        "overwrite": call_put["overwrite"],
        "sourceCompression": call_put["source_compression"],
        "clientShowEncryptionParameter": False,
        "encryptionMaterial": None,
        "presignedUrls": None,
        "uploadInfo": None,
        "parameters": [],
        "statementTypeId": 28672,
        "stageInfo": {
            "locationType": "GCS",
            "location": "stage/",
            "path": "",
            "region": "US-CENTRAL1",
            "storageAccount": None,
            "isClientSideEncrypted": False,
            "endPoint": None,
            "creds": {},
            "presignedUrl": f"{base_url}/fs_bucket/{url_quote(bucket_path)}?{SIGNED_HEADERS}",
        },
    }


def _shown(location: Location, file: StagedFile) -> str:
    return f"{location.label}/{file.path}" if location.label else file.path


def list_files(call: Call) -> Result:
    """LIST @stage/prefix [PATTERN = '...']."""
    location, pattern = _reference(call, "READ")
    rows = [
        [_shown(location, file), file.size, file.md5, file.last_modified]
        for file in call.world.stages.files(location)
        if pattern is None or re.fullmatch(pattern, _shown(location, file))
    ]
    columns = {"name": "VARCHAR", "size": "BIGINT", "md5": "VARCHAR", "last_modified": "VARCHAR"}
    return results.of_rows(columns, rows)


def remove(call: Call) -> Result:
    """REMOVE @stage/prefix [PATTERN = '...']."""
    location, pattern = _reference(call, "WRITE")
    gone = [
        file
        for file in call.world.stages.files(location)
        if pattern is None or re.fullmatch(pattern, _shown(location, file))
    ]
    call.world.stages.delete(gone)
    rows = [[_shown(location, file), "removed"] for file in gone]
    return results.of_rows({"name": "VARCHAR", "result": "VARCHAR"}, rows)


_COMMAND = re.compile(
    r"\w+\s+(?P<where>'(?:[^']|'')*'|@(?:\"(?:[^\"]|\"\")*\"|[^\s\"])+)(?:\s+PATTERN\s*=\s*'(?P<pattern>[^']*)')?\s*",
    re.IGNORECASE,
)


def _reference(call: Call, privilege: str) -> tuple[Location, str | None]:
    """The location and pattern of LIST or REMOVE."""
    match = _COMMAND.fullmatch(str(call.statement.tree.args["expression"]))
    if match is None:
        raise syntax(call.statement.text)
    return locate(call, match["where"], privilege), match["pattern"]
