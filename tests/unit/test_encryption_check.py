"""Whether storage lies on an encrypted volume is told where it can be seen, and is never wrong."""

from pathlib import Path

import pytest

from ops.checks.encryption import Encryption, encryption_below, filevault_in, judge, mount_of, volumes
from ops.checks.result import Status

MOUNTS = r"""22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
30 22 253:1 / /srv/backscroll rw,relatime shared:2 - ext4 /dev/mapper/vault rw
31 22 0:40 / /home/ana/secret rw - ecryptfs /home/.ecryptfs rw
32 22 0:41 / /mnt/share rw - nfs4 server:/share rw
33 22 0:42 / /mnt/a\040disk rw - btrfs /dev/dm-5 rw
34 22 253:2 / /mnt/array rw - xfs /dev/mapper/array rw
"""


@pytest.fixture
def sys_dir(tmp_path: Path) -> Path:
    """A /sys with a disk, an encrypted volume, a logical volume on one, and an array of which half is encrypted."""

    def device(place: str, uuid: str = "", below: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        if uuid:
            (folder / "dm").mkdir()
            (folder / "dm/uuid").write_text(uuid + "\n")
        for name in below:
            (folder / "slaves").mkdir(exist_ok=True)
            (folder / "slaves" / name).symlink_to(tmp_path / "class/block" / name)
        return folder

    device("class/block/sda2")
    device("class/block/dm-0", "CRYPT-LUKS2-0123-vault", ("sda2",))
    device("dev/block/8:2")
    device("dev/block/253:1", "LVM-abc", ("dm-0",))
    device("class/block/dm-5", "CRYPT-PLAIN-x")
    device("dev/block/253:2", "LVM-def", ("dm-0", "sda2"))
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "encryption"),
    [
        pytest.param("/var/lib/bot", Encryption.NOT_SEEN, id="on a plain disk"),
        pytest.param("/srv/backscroll/db", Encryption.SEEN, id="on a logical volume on LUKS"),
        pytest.param("/srv/backscroll", Encryption.SEEN, id="where it is mounted"),
        pytest.param("/srv/backscroll2", Encryption.NOT_SEEN, id="beside where it is mounted"),
        pytest.param("/home/ana/secret/db", Encryption.SEEN, id="on eCryptfs"),
        pytest.param("/mnt/share/db", Encryption.UNKNOWN, id="on a network"),
        pytest.param("/mnt/a disk/db", Encryption.SEEN, id="on btrfs, by its source"),
        pytest.param("/mnt/array/db", Encryption.NOT_SEEN, id="on an array of which a part is not encrypted"),
    ],
)
def test_linux_says_what_is_below_a_folder(sys_dir: Path, folder: str, encryption: Encryption) -> None:
    assert encryption_below(Path(folder), MOUNTS, sys_dir) is encryption


def test_the_last_mount_at_a_place_lies_above_the_others() -> None:
    above = MOUNTS + "40 22 253:9 / /srv/backscroll rw - ext4 /dev/new rw\n"

    found = mount_of(Path("/srv/backscroll/db"), above)

    assert found is not None
    assert found.device == "253:9"


def test_without_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert encryption_below(Path("/srv"), "", tmp_path) is Encryption.UNKNOWN
    assert encryption_below(Path("/srv"), "what is this?\n 1 2 3 - \n", tmp_path) is Encryption.UNKNOWN


def test_devices_that_stand_on_each_other_in_a_circle_end(tmp_path: Path) -> None:
    block = tmp_path / "dev/block/8:2"
    (block / "slaves").mkdir(parents=True)
    for number in range(40):
        (block / "slaves" / f"sd{number}").symlink_to(block)

    assert encryption_below(Path("/var"), MOUNTS, tmp_path) is Encryption.NOT_SEEN


@pytest.mark.parametrize(
    ("output", "encryption"),
    [
        ("FileVault is On.\n", Encryption.SEEN),
        ("FileVault is Off.\nDeferred enablement appears to be active.\n", Encryption.NOT_SEEN),
        ("fdesetup: unknown error\n", Encryption.UNKNOWN),
    ],
)
def test_macos_says_whether_filevault_is_on(output: str, encryption: Encryption) -> None:
    assert filevault_in(output) is encryption


def test_what_is_not_seen_is_a_warning_that_says_what_to_do() -> None:
    result = judge(["/srv"], ["/mnt"], [Path("/srv"), Path("/mnt")])

    assert result.status is Status.WARNING
    assert "/srv" in result.message
    assert "/mnt" in result.message
    assert judge([], [], [Path("/srv")]).status is Status.OK


async def test_it_can_be_looked_at_on_this_machine(tmp_path: Path) -> None:
    result = await volumes([tmp_path, tmp_path / "not made yet"])

    assert result.status in {Status.OK, Status.WARNING}
