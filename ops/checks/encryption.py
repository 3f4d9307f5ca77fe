"""Check whether what is stored lies on an encrypted volume, as far as that can be seen from here.

Discord's developer policy asks for encryption at rest. What a provider encrypts below a virtual machine cannot be seen,
so that nothing here is wrong: it is a warning at most.
"""

import asyncio
import errno
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ops.checks.result import CheckResult, ok, warning

_ENCRYPTING = frozenset({"ecryptfs", "fuse.encfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.securefs"})
_DEEPEST = 8  # devices below each other: a file system, a logical volume, an array, ...
_MOST_DEVICES = 64
_GET_POLICY = 0x400C6615  # FS_IOC_GET_ENCRYPTION_POLICY of Linux's fscrypt.h
_POLICY_BYTES = 12
_FILEVAULT = ("/usr/bin/fdesetup", "status")

ENCRYPTED = "{} lie on an encrypted volume"
NOT_SEEN = (
    "No encryption can be seen below {}: put it on an encrypted volume (LUKS, or one that your provider encrypts); "
    "Discord's developer policy asks for that."
)
UNKNOWN = (
    "Whether {} is encrypted cannot be seen here: it has to be, as Discord's developer policy asks, so look whether "
    "its volume is."
)


class Encryption(Enum):
    """What can be seen of the volume below a folder."""

    SEEN = "seen"
    NOT_SEEN = "not seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of /proc/self/mountinfo: where something is mounted, its device as `major:minor`, its type and source."""

    point: Path
    device: str
    kind: str
    source: str


async def volumes(folders: Collection[Path]) -> CheckResult:
    """Check the volumes below some folders, or below where they will be."""
    found: dict[Encryption, list[str]] = {}
    for folder in dict.fromkeys(folders):
        found.setdefault(await _encryption_of(folder), []).append(str(folder))
    return judge(found.get(Encryption.NOT_SEEN, ()), found.get(Encryption.UNKNOWN, ()), folders)


def judge(not_seen: Sequence[str], unknown: Sequence[str], folders: Collection[Path]) -> CheckResult:
    """Return what the states of some folders come to."""
    if not not_seen and not unknown:
        return ok(ENCRYPTED.format(" and ".join(map(str, dict.fromkeys(folders)))))
    sentences = [NOT_SEEN.format(" and ".join(not_seen))] if not_seen else []
    sentences += [UNKNOWN.format(" and ".join(unknown))] if unknown else []
    return warning(" ".join(sentences))


async def _encryption_of(folder: Path) -> Encryption:
    platform: str = sys.platform
    if platform == "darwin":
        return await _filevault()
    if platform == "linux":
        return await asyncio.to_thread(_on_linux, folder)
    return Encryption.UNKNOWN


async def _filevault() -> Encryption:
    """Ask macOS; the limit of the check is that of the program too."""
    try:
        program = await asyncio.create_subprocess_exec(*_FILEVAULT, stdout=asyncio.subprocess.PIPE)
    except OSError:
        return Encryption.UNKNOWN
    try:
        output, _ = await program.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            program.kill()
        raise
    return filevault_in(output.decode("utf-8", "replace"))


def filevault_in(output: str) -> Encryption:
    """Return what `fdesetup status` says."""
    if "FileVault is On" in output:
        return Encryption.SEEN
    return Encryption.NOT_SEEN if "FileVault is Off" in output else Encryption.UNKNOWN


def _on_linux(folder: Path) -> Encryption:
    nearest = next(path for path in (folder, *folder.resolve().parents) if path.exists()).resolve()
    if _has_policy(nearest):
        return Encryption.SEEN
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Encryption.UNKNOWN
    return encryption_below(nearest, mounts, Path("/sys"))


def _has_policy(folder: Path) -> bool:
    """Return whether a folder is encrypted by fscrypt, as those of single users may be."""
    import fcntl

    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.ioctl(opened, _GET_POLICY, bytes(_POLICY_BYTES))
    except OSError as error:
        return error.errno == errno.EINVAL  # the folder has a policy of a newer version
    finally:
        os.close(opened)
    return True


def encryption_below(folder: Path, mountinfo: str, sys_dir: Path) -> Encryption:
    """Return what Linux says of the devices below an existing folder, by its mounts and what `/sys` tells of them."""
    mount = mount_of(folder, mountinfo)
    if mount is None:
        return Encryption.UNKNOWN
    if mount.kind in _ENCRYPTING:
        return Encryption.SEEN
    device = _device_dir(mount, sys_dir)
    if device is None:
        return Encryption.UNKNOWN  # of a network, of a container, in memory, or of ZFS
    return Encryption.SEEN if _is_encrypted(device) else Encryption.NOT_SEEN


def mount_of(folder: Path, mountinfo: str) -> Mount | None:
    """Return the mount that a folder lies in: the last one of those nearest to it."""
    holding = [mount for mount in _mounts(mountinfo) if mount.point == folder or mount.point in folder.parents]
    return max(holding, key=lambda mount: len(mount.point.parts), default=None) if holding else None


def _mounts(mountinfo: str) -> Iterator[Mount]:
    """Yield the mounts, the latest first, as it lies above an earlier one at the same place."""
    for line in reversed(mountinfo.splitlines()):
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) > 4 and len(kinds) > 1:
            yield Mount(Path(_unescaped(fields[4])), fields[2], kinds[0], _unescaped(kinds[1]))


def _unescaped(text: str) -> str:
    """Return a name as it is; the kernel writes blanks, tabs, line ends and backslashes as octal numbers."""
    for escaped, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(escaped, character)
    return text


def _device_dir(mount: Mount, sys_dir: Path) -> Path | None:
    """Return what /sys has of the block device of a mount; of btrfs, whose mounts have none, that of its source."""
    device = sys_dir / "dev/block" / mount.device
    if device.exists():
        return device
    name = sys_dir / "class/block" / Path(os.path.realpath(mount.source)).name
    return name if mount.source.startswith("/dev/") and name.exists() else None


def _is_encrypted(device: Path) -> bool:
    """Return whether every way down from a device leads through an encrypted one."""
    waiting, seen = [(device, 0)], 0
    while waiting:
        current, depth = waiting.pop()
        seen += 1
        if seen > _MOST_DEVICES:
            return False
        if _uuid_of(current).startswith("CRYPT-"):
            continue
        below = list((current / "slaves").glob("*")) if depth < _DEEPEST else []
        if not below:
            return False
        waiting += [(one, depth + 1) for one in below]
    return True


def _uuid_of(device: Path) -> str:
    try:
        return (device / "dm/uuid").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
