"""The former name of `main_async.py search`."""

import sys

if __name__ == "__main__":
    sys.stderr.write("search.py is a part of main_async.py now: ask with python main_async.py search QUESTION.\n")
    sys.exit(2)
