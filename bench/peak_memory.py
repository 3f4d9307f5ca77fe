"""Run a command and print the most memory, in bytes, that it or a child of it had.

A process of its own, and a small one: a system counts what a process had before it became the command.
"""

import resource
import subprocess
import sys

_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> int:
    """Run the command of the arguments, silently, and return its exit status."""
    finished = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT)
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main())
