"""Restore a backup in a process that kills itself on the way: `python -m tests.restoring_process DSN FOLDER SHARE`.

It dies as soon as this share, from 0 to 1, of all that there is to read has been read.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from db.config import LONG_TERM_LAYOUT
from db.databases import LONG_TERM, open_database
from db.engines import parse_dsn
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import restore
from tests.lived_in import MODEL, PATIENCE, WIDTH


async def _restore(dsn: str, folder: Path, share: float) -> None:
    def die(done: int, total: int) -> None:
        if done >= total * share:
            os.kill(os.getpid(), signal.SIGKILL)

    opening = open_database(
        parse_dsn(dsn, name="DSN"), name=LONG_TERM, pool_size=1, timeout=PATIENCE, layout=LONG_TERM_LAYOUT
    )
    async with opening as database:
        await restore(
            folder,
            read_manifest(folder),
            database,
            source=Format.BINARY,
            erasures={},
            dimensions=WIDTH,
            model=MODEL,
            timeout=PATIENCE,
            report=die,
        )


if __name__ == "__main__":
    asyncio.run(_restore(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
