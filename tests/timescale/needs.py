"""What a machine must have for a TimescaleDB of the tests' own."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

_TRIAL = ("unshare", "--mount", "--pid", "--fork", "true")
_TRIAL_SECONDS = 30


def _may_mount() -> bool:
    """Tell whether we may have mounts of our own, which root of an ordinary container may not."""
    try:
        tried = subprocess.run(_TRIAL, check=False, capture_output=True, timeout=_TRIAL_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is asked of a machine; this one unless said otherwise."""

    system: str = field(default_factory=platform.system)
    processor: str = field(default_factory=platform.machine)
    user_id: int = field(default_factory=os.geteuid)
    which: Callable[[str], str | None] = shutil.which
    may_mount: Callable[[], bool] = _may_mount


def why_not(machine: Machine) -> str | None:
    """Return in one sentence why a machine cannot make and run it; None when it can."""
    if (machine.system, machine.processor) != ("Linux", "x86_64"):
        return f"The tests' TimescaleDB is for Linux on x86_64, and this is {machine.system} on {machine.processor}."
    if machine.user_id != 0:
        return "Only root may make and start the tests' TimescaleDB, which lives in a chroot: run this as root."
    if not (machine.which("debootstrap") or machine.which("apt-get")):
        return "The tests' TimescaleDB is made by debootstrap: install that first."
    if not machine.may_mount():
        return "The tests' TimescaleDB cannot be made where root may not mount: give this container CAP_SYS_ADMIN."
    return None
