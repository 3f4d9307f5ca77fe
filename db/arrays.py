"""Rows as a table in a statement: one array for each column, so that it is the same statement for any number of rows.

SQLAlchemy compiles a statement once; one that lists its rows as VALUES is another one for every number of them.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from pgvector.sqlalchemy import Vector
from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

_AS_TEXT: Mapping[type[TypeEngine[Any]], Callable[[Any], str]] = {
    JSONB: json.dumps,
    Vector: lambda vector: orjson.dumps(np.ascontiguousarray(vector), option=orjson.OPT_SERIALIZE_NUMPY).decode(),
}
"""Types whose values are arrays of a kind themselves: each goes as its text, which the statement reads.

orjson writes a float32 in as many digits as tell it from its neighbours, in a twentieth of the time of `repr`.
"""


def as_table(name: str, columns: Sequence[ColumnElement[Any]], rows: Iterable[Sequence[Any]]) -> FromClause:
    """Return a table of rows, at least one, whose values stand in the order of columns of our schema.

    Vectors are NumPy arrays of shape (dimensions,); values of JSONB are what `json` writes.
    """
    arrays = zip(*rows, strict=True)
    given = [_array(known.type, values) for known, values in zip(columns, arrays, strict=True)]
    types = [Text() if type(known.type) in _AS_TEXT else known.type for known in columns]
    named = [column(known.name, kind) for known, kind in zip(columns, types, strict=True)]
    raw = func.unnest(*given).table_valued(*named, name=f"{name}_given").render_derived()
    read = (
        cast(value, known.type).label(known.name) if type(known.type) in _AS_TEXT else value
        for known, value in zip(columns, raw.c, strict=True)
    )
    return select(*read).subquery(name)


def _array(kind: TypeEngine[Any], values: Iterable[Any]) -> Any:
    to_text = _AS_TEXT.get(type(kind))
    if to_text is None:
        return literal(list(values), ARRAY(kind))
    return literal([None if value is None else to_text(value) for value in values], ARRAY(Text))
