"""Stand in for the exporting process, without its slow part: it copies an export that was made before.

`copying_export.py WHOLE_EXPORT DEED MODEL MODELS_DIR PRECISION`; each run adds a line to `runs` beside MODELS_DIR.
"""

import errno
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import cast
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from memory.embedding import export
from memory.embedding.config import Precision


def main(original: Path, deed: str, name: str, models_dir: Path, precision: Precision) -> None:
    """Copy an export, and then do as a test says: `finish`, `die`, `lack` (space) or `hang`."""
    with (models_dir.parent / "runs").open("a", encoding="utf-8") as runs:
        runs.write("run\n")

    def copy(_: object, folder: Path, **__: object) -> None:
        shutil.copytree(original, folder, dirs_exist_ok=True)
        if deed == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if deed == "lack":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if deed == "hang":
            time.sleep(600)

    with patch.object(export, "load_sentence_transformer"), patch.object(export, "_write_export", copy):
        export.main(name, models_dir, precision)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]), cast(Precision, sys.argv[5]))
