"""End a script with the one sentence of an error that was raised on purpose."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from errors import BackscrollError


def exit_with_error(error: BackscrollError | BaseExceptionGroup[BaseException]) -> NoReturn:
    """End the program with the sentence of an error that was raised on purpose; any other goes on as it is."""
    mendable, other = BaseExceptionGroup("", [error]).split(BackscrollError)
    if mendable is None or other is not None:
        raise error
    first: BaseException = mendable
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    from cli.console import tell  # what nobody needs who is told of no error

    tell(str(first))
    raise typer.Exit(2)


_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing_streams() -> None:
    """Give each stream that was closed before we began to nobody.

    Else the next file that is opened, the journal perhaps, would take its number, and whatever a library or a program
    that we start prints would end up there.
    """
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)
