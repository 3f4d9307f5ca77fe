"""Print what the program answers to standard output."""

import os
import sys

import typer

from agent.visible import printable


def show(text: str, *, styled: bool = False) -> None:
    """Print a text, without what would command the terminal; letters that the output cannot show become escapes.

    A text that is `styled` has colours, and none of its words are anybody else's. An output that nobody reads any more,
    as behind `| head`, must not keep the rest from being recorded.
    """
    encoding = sys.stdout.encoding
    try:
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        typer.echo(shown if styled else printable(shown))
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # closing it would fail once more when Python ends
        os.close(nowhere)
