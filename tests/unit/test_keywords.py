"""Words are compared without their endings, and without those that tell nothing."""

import pytest

from memory.file_names import parts_of
from memory.search.terms import all_stems, keywords_of, stems_of, with_other_words, without_words


@pytest.mark.parametrize(
    ("word", "form"),
    [
        pytest.param("glazing", "glaze", id="English"),
        pytest.param("exploded", "explode", id="English, in the past"),
        pytest.param("techniker", "technikern", id="German"),
        pytest.param("reunions", "reunion", id="French"),
        pytest.param("arcillas", "arcilla", id="Spanish"),
        pytest.param("bicicletta", "biciclette", id="Italian"),
        pytest.param("ferramentas", "ferramenta", id="Portuguese"),
        pytest.param("vergaderingen", "vergadering", id="Dutch"),
    ],
)
def test_forms_of_one_word_share_a_stem(word: str, form: str) -> None:
    assert stems_of(word) & stems_of(form)


@pytest.mark.parametrize(
    ("word", "other"), [("hope", "hop"), ("care", "car"), ("plane", "plan"), ("glaze", "glass"), ("deploy", "display")]
)
def test_words_that_only_look_alike_share_none(word: str, other: str) -> None:
    assert not stems_of(word) & stems_of(other)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("what did we say about glazing?", ["glazing"], id="words of saying"),
        pytest.param("who has the key?", ["key"], id="a word that may stand for importance"),
        pytest.param("what should Ben bring?", ["ben", "bring"], id="a verb of doing"),
        pytest.param("when did 0.4 come out?", ["0.4", "come"], id="a version"),
        pytest.param("wann kommt der Techniker?", ["kommt", "techniker"], id="German"),
        pytest.param("où est la clé du four ?", ["cle", "four"], id="French"),
        pytest.param("did anyone post a photo?", ["picture"], id="a picture by another name"),
        pytest.param("did the plant die?", ["plant", "die"], id="what is an article in another language"),
    ],
)
def test_the_words_of_a_question_that_tell(question: str, words: list[str]) -> None:
    assert [word.text for word in keywords_of(question)] == words


def test_the_name_of_a_file_is_made_of_words() -> None:
    assert parts_of("Kiln_shelf-2026.cracked.JPG") == ["kiln", "shelf", "cracked", "picture"]
    assert stems_of("shelves") & all_stems("see kiln_shelves2.png")


def test_parts_of_a_number_are_no_words() -> None:
    assert not all_stems("4") & all_stems("0.4")


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("who has photos of the kiln?", "who has photos of the kiln? picture"),
        ("who has a picture of the kiln?", "who has a picture of the kiln?"),
        ("who has the kiln?", "who has the kiln?"),
    ],
)
def test_a_picture_is_asked_for_by_all_its_names(question: str, asked: str) -> None:
    assert with_other_words(question) == asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("what did Ana's dog eat?", "what did dog eat?", id="with what follows it"),
        pytest.param("what did Ana\u2019s dog eat?", "what did dog eat?", id="with another apostrophe"),
        pytest.param("did ANA and ana swim?", "did and swim?", id="as often as it is there, however it is written"),
        pytest.param("where is the banana?", "where is the banana?", id="not within other words"),
        pytest.param("who is Ana?", "who is Ana?", id="never the only one that tells"),
    ],
)
def test_a_name_is_left_out_of_a_question(text: str, expected: str) -> None:
    assert without_words(text, stems_of("ana")) == expected
