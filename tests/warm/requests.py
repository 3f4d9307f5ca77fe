"""What the two sides tell each other: a request as JSON with four files, then two numbers back."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LARGEST = 2**18
"""Bytes of a request."""

NUMBER = struct.Struct("!q")
"""How the number of the process is told, and then its exit status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A script to run; its standard input, output and error come along, and the socket for the two numbers."""

    script: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    at_terminal: bool = False
    """Whether standard input is a terminal that the process shall take."""
