"""Print what the program answers to standard output, and what goes wrong to the error stream."""

import logging
import os
import sys

import typer

from agent.visible import printable

logger = logging.getLogger(__name__)


def show(text: str, *, styled: bool = False) -> None:
    """Print a text, without what would command the terminal; letters that the output cannot show become escapes.

    A text that is `styled` has colours, and none of its words are anybody else's. An output that nobody reads any more,
    as behind `| head`, must not keep the rest from being recorded.
    """
    _print(text, is_error=False, styled=styled)


def tell(text: str) -> None:
    """Print a sentence for the operator, in the same way."""
    _print(text, is_error=True)


def _print(text: str, *, is_error: bool, styled: bool = False) -> None:
    stream = sys.stderr if is_error else sys.stdout
    if stream is None:  # it was closed before we began
        return
    encoding = stream.encoding or "utf-8"
    try:
        shown = text if styled else printable(text)
        typer.echo(shown.encode(encoding, "backslashreplace").decode(encoding), err=is_error)
    except BrokenPipeError:
        _print_no_more(stream.fileno())
    except OSError as error:
        _print_no_more(stream.fileno())
        if not is_error:
            logger.warning("standard output cannot be written (%s): what follows is not shown", error.strerror)


def _print_no_more(descriptor: int) -> None:
    """Lead a stream nowhere: closing it would fail once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
