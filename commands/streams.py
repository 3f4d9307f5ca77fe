"""Have all three standard streams, whatever a shell has closed."""

import os
import sys
from pathlib import Path

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
