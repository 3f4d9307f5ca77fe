"""Session names: what is refused and why, what passes, and how stems are taken apart."""

from pathlib import Path

import pytest

import util_async
from errors import SessionError
from storage import session_names
from storage.session_names import random_session_name, split_stem, valid_file_name
from storage.sessions import ProgramSession


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("demo", id="a word"),
        pytest.param("Team planning 2", id="spaces inside"),
        pytest.param("v1.2", id="a dot inside"),
        pytest.param("demo_7", id="a number at the end"),
        pytest.param("console", id="a reserved word and more"),
        pytest.param("Überblick-日本語", id="letters of other languages"),
        pytest.param("\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", id="an emoji that a joiner makes"),
        pytest.param("x" * 64, id="64 characters"),
        pytest.param("postgresql", id="more than a folder of ours"),
    ],
)
def test_a_usable_name_stays_as_it_is(name: str) -> None:
    assert valid_file_name(name) == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        pytest.param("  demo\t\n", "demo", id="blanks around it are left out"),
        pytest.param("cafe\u0301", "caf\u00e9", id="an accent is joined to its letter"),
    ],
)
def test_a_name_takes_the_form_that_it_has_on_disk(typed: str, stored: str) -> None:
    assert valid_file_name(typed) == stored


@pytest.mark.parametrize("name", ["CON", "con", "NUL.txt", "aux", "COM1", "lpt9.csv"])
def test_a_reserved_windows_name_is_refused(name: str) -> None:
    with pytest.raises(SessionError, match="Windows keeps for itself: choose another"):
        valid_file_name(name)


@pytest.mark.parametrize("character", list(r'\/:*?"<>|'))
def test_a_character_that_some_system_forbids_is_refused(character: str) -> None:
    with pytest.raises(SessionError, match="not every system allows in a file name: leave it out"):
        valid_file_name(f"a{character}b")


@pytest.mark.parametrize(
    "character",
    [
        pytest.param("\0", id="null"),
        pytest.param("\n", id="line end"),
        pytest.param("\x7f", id="delete"),
        pytest.param("\x85", id="next line"),
        pytest.param("\u202e", id="right-to-left override"),
        pytest.param("\u200b", id="zero-width space"),
        pytest.param("\u2028", id="line separator"),
        pytest.param("\ud800", id="half of a surrogate pair"),
    ],
)
def test_a_character_that_cannot_be_seen_is_refused(character: str) -> None:
    with pytest.raises(SessionError, match="control or invisible character"):
        valid_file_name(f"a{character}b")


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "demo.", "a..b", "../demo", "demo. "])
def test_dots_that_hide_a_name_or_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(SessionError, match="leave those dots out"):
        valid_file_name(name)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        pytest.param("x" * 65, "64 characters", id="in characters"),
        pytest.param("\N{ELEPHANT}" * 51, "200 bytes", id="in bytes"),
    ],
)
def test_a_name_that_is_too_long_is_refused(name: str, limit: str) -> None:
    with pytest.raises(SessionError, match=rf"{limit}.*shorten it"):
        valid_file_name(name)


@pytest.mark.parametrize("name", ["demo_not_added", "DEMO_NOT_ADDED", "_not_added"])
def test_a_name_that_ends_like_a_not_added_file_is_refused(name: str) -> None:
    with pytest.raises(SessionError, match="choose another ending"):
        valid_file_name(name)


@pytest.mark.parametrize("name", ["logs", "Logs", "postgres", "promotions", "current_session.json"])
def test_a_name_that_we_use_ourselves_is_refused(name: str) -> None:
    with pytest.raises(SessionError, match="something else in the storage folder"):
        valid_file_name(name)


@pytest.mark.parametrize("name", ["", " \t "])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(SessionError, match="is empty"):
        valid_file_name(name)


@pytest.mark.parametrize("name", ["a\nb", "\ud800", "x" * 5000, "a\x1b[31mb"])
def test_a_refusal_is_one_short_line_that_any_terminal_can_show(name: str) -> None:
    with pytest.raises(SessionError) as refusal:
        valid_file_name(name)

    sentence = str(refusal.value)
    assert sentence.isprintable()
    assert len(sentence) < 200
    assert sentence.startswith("The session name ")
    assert sentence.endswith(".")


def test_random_names_are_usable_and_differ() -> None:
    names = [random_session_name() for _ in range(200)]

    assert [valid_file_name(name) for name in names] == names
    assert len(set(names)) > 100


@pytest.mark.parametrize(
    ("name", "stem", "parts"),
    [
        pytest.param("demo", "demo", ("demo", None), id="the name alone"),
        pytest.param("demo", "demo_12", ("demo", 12), id="a number"),
        pytest.param("demo", "demo_2026-11-21", ("demo_2026-11-21", None), id="a date is no number"),
        pytest.param("demo", "demo_2026-11-21_3", ("demo_2026-11-21", 3), id="a date and a number"),
        pytest.param("demo_7", "demo_7", ("demo_7", None), id="a number that belongs to the name"),
        pytest.param("a+b", "a+b_1", ("a+b", 1), id="a name with characters of patterns"),
        pytest.param("demo", "demonstration_1", None, id="a longer name"),
        pytest.param("demo", "demo_2026-11-21_3_4", None, id="something behind the number"),
        pytest.param("demo", "demo_\u0663", None, id="a digit that we never write"),
        pytest.param("demo", "../demo", None, id="a way out of the folder"),
    ],
)
def test_a_stem_is_split_before_its_number(name: str, stem: str, parts: tuple[str, int | None] | None) -> None:
    assert split_stem(name, stem) == parts


def test_a_dot_in_the_name_does_not_cut_the_file_names() -> None:
    session = ProgramSession("v1.2", "v1.2_3", Path("storage/v1.2"))

    assert session.journal_path == Path("storage/v1.2/v1.2_3.csv")
    assert session.not_added_path == Path("storage/v1.2/v1.2_3_not_added.csv")
    assert session.numbers_path == Path("storage/v1.2/file_numbers.pkl")


def test_the_rebuild_of_the_numbers_is_called_by_the_name_that_users_know() -> None:
    assert util_async.update_file_num_pkl is session_names.update_file_num_pkl
