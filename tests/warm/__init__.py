"""Start a script in a process that has the libraries of the program loaded already.

One server of a test run imports them, and then only forks: a script that would take seconds to load them begins at
once, in a process of its own with its own arguments, environment, folder, pipes or terminal, signals and exit status.
What a real start imports is none of its business; tests of that start a Python of their own.
"""

from tests.warm.processes import WarmProcess, start_warm
from tests.warm.requests import Request

__all__ = ["Request", "WarmProcess", "start_warm"]
