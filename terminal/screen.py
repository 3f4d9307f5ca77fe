"""Print what the program answers to standard output."""

import os
import sys

import typer


def show(text: str) -> None:
    """Print a text; letters that the output cannot show become escapes.

    An output that nobody reads any more, as behind `| head`, must not keep the rest from being recorded.
    """
    encoding = sys.stdout.encoding
    try:
        typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # closing it would fail once more when Python ends
        os.close(nowhere)
