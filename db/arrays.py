"""Rows as a table in a statement: one array for each column, so that it is the same statement for any number of rows.

SQLAlchemy builds and compiles such a statement once; one that lists its rows as VALUES is another one for every number
of them.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from pgvector.sqlalchemy import Vector
from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

_AS_TEXT: Mapping[type[TypeEngine[Any]], Callable[[Any], str]] = {
    JSONB: json.dumps,
    Vector: lambda vector: orjson.dumps(np.ascontiguousarray(vector), option=orjson.OPT_SERIALIZE_NUMPY).decode(),
}
"""Types whose values are arrays of a kind themselves: each goes as its text, which the statement reads.

orjson writes a float32 in as many digits as tell it from its neighbours, in a twentieth of the time of `repr`.
"""

Columns = Sequence[ColumnElement[Any]]


def rows_as_table(name: str, columns: Columns) -> FromClause:
    """Return a table of rows that `arrays_of` gives to the statement; the columns are of our schema."""
    types = [Text() if type(known.type) in _AS_TEXT else known.type for known in columns]
    arrays: list[Any] = [
        bindparam(f"{name}_{known.name}", type_=ARRAY(kind)) for known, kind in zip(columns, types, strict=True)
    ]
    named: list[Any] = [column(known.name, kind) for known, kind in zip(columns, types, strict=True)]
    given = func.unnest(*arrays).table_valued(*named, name=f"{name}_given").render_derived()
    read: list[Any] = [
        cast(value, known.type).label(known.name) if type(known.type) in _AS_TEXT else value
        for known, value in zip(columns, given.c, strict=True)
    ]
    return select(*read).subquery(name)


def arrays_of(name: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Return the parameters that are the rows, at least one, of a table; their values stand in the columns' order.

    Vectors are NumPy arrays of shape (dimensions,); values of JSONB are what `json` writes.
    """
    return {
        f"{name}_{known.name}": _array(known.type, values)
        for known, values in zip(columns, zip(*rows, strict=True), strict=True)
    }


def _array(kind: TypeEngine[Any], values: Iterable[Any]) -> list[Any]:
    to_text = _AS_TEXT.get(type(kind))
    if to_text is None:
        return list(values)
    return [None if value is None else to_text(value) for value in values]
