"""Arrow tables in the shape that Snowflake sends and both connectors read.

Rules restored: a timestamp is a struct of seconds and nanoseconds, NULL only as a whole (fakesnow leaves
NULLs inside it, which connector 5 refuses); times are nanoseconds; every field says its logical type,
precision and scale.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_TZ_UTC = 1440  # minutes east of UTC plus one day, as Snowflake writes a zone


def encode(table: pa.Table, rowtype: list[dict[str, Any]]) -> str:
    """Base64 of an Arrow stream."""
    pairs = [_column(table.column(index), described) for index, described in enumerate(rowtype)]
    shaped = pa.Table.from_arrays(
        [array for array, _ in pairs], schema=pa.schema([field for _, field in pairs])
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, shaped.schema) as writer:
        writer.write_table(shaped)
    return b64encode(sink.getvalue()).decode()


def _column(column: pa.ChunkedArray, described: dict[str, Any]) -> tuple[pa.Array, pa.Field]:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], type=array.type)
    array = _shape(array)
    metadata = {
        "logicalType": str(described["type"]).upper(),
        "precision": str(described["precision"] or 38),
        "scale": str(described["scale"] or 0),
        "charLength": str(described["length"] or 0),
    }
    return array, pa.field(described["name"], array.type, nullable=True, metadata=metadata)


def _shape(array: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        return _timestamp(array)
    if pa.types.is_time(array.type):
        return pc.multiply(array.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if pa.types.is_null(array.type):
        return array.cast(pa.string())
    if pa.types.is_uint64(array.type):
        return array.cast(pa.int64())
    return array


def _timestamp(array: pa.Array) -> pa.Array:
    zoned, micros = array.type.tz is not None, array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
    missing = pc.is_null(array)
    filled = pc.fill_null(micros, 0)
    seconds = pc.floor(pc.divide(filled.cast(pa.float64(), safe=False), 1_000_000.0)).cast(pa.int64())
    # Double division is inexact far from 1970: mend the seconds with whole numbers.
    rest = pc.subtract(filled, pc.multiply(seconds, 1_000_000))
    below, above = pc.less(rest, 0), pc.greater_equal(rest, 1_000_000)
    seconds = pc.subtract(pc.add(seconds, above.cast(pa.int64())), below.cast(pa.int64()))
    fraction = pc.multiply(pc.subtract(filled, pc.multiply(seconds, 1_000_000)), 1000).cast(pa.int32())
    arrays = [seconds, fraction]
    fields = [pa.field("epoch", pa.int64(), nullable=False), pa.field("fraction", pa.int32(), nullable=False)]
    if zoned:
        arrays.append(pa.array([_TZ_UTC] * len(array), type=pa.int32()))
        fields.append(pa.field("timezone", pa.int32(), nullable=False))
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=missing)
