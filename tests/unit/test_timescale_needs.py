"""A machine that cannot run the tests' TimescaleDB is told in one sentence why."""

from dataclasses import replace

import pytest

from tests.sentences import is_one_sentence
from tests.timescale import Machine, why_not

ABLE = Machine(system="Linux", processor="x86_64", user_id=0, which={"debootstrap": "here"}.get, may_mount=lambda: True)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        pytest.param(replace(ABLE, system="Darwin"), "this is Darwin on x86_64", id="another system"),
        pytest.param(replace(ABLE, processor="aarch64"), "this is Linux on aarch64", id="another processor"),
        pytest.param(replace(ABLE, user_id=1000), "run this as root", id="another user"),
        pytest.param(replace(ABLE, which=lambda _: None), "install that first", id="neither debootstrap nor apt-get"),
        pytest.param(replace(ABLE, may_mount=lambda: False), "CAP_SYS_ADMIN", id="an ordinary container"),
    ],
)
def test_it_cannot_run_on(machine: Machine, words: str) -> None:
    reason = why_not(machine)

    assert reason is not None
    assert words in reason
    assert is_one_sentence(reason)


@pytest.mark.parametrize("program", ["debootstrap", "apt-get"])
def test_root_can_run_it_with(program: str) -> None:
    assert why_not(replace(ABLE, which={program: "here"}.get)) is None
