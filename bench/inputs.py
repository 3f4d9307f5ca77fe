"""Read the files that a bench is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from errors import InputFileError, OperatorError

T = TypeVar("T")


def read_json(path: Path, adapter: TypeAdapter[T], *, what: str) -> T:
    """Return what a JSON file holds; raise InputFileError for one that cannot be read as `what` it should be."""
    try:
        return adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}): correct --data.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputFileError(
            f"{path} is not {what} ({where or 'at its top'}: {first['msg']}): correct --data."
        ) from error


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Turn what the operator can put right into one sentence and exit status 2."""
    try:
        yield
    except OperatorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
