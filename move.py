"""The former name of `backups.py move`."""

import sys

if __name__ == "__main__":
    sys.stderr.write("move.py is a part of backups.py now: move with python backups.py move.\n")
    sys.exit(2)
