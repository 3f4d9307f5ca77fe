"""End a script with the one sentence of an error that was raised on purpose."""

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
    from terminal.screen import tell  # what nobody needs who is told of no error

    tell(str(first))
    raise typer.Exit(2)
