"""Questions that ask for several things are cut into clauses, and no others."""

import pytest

from memory.question.clauses import clauses_of
from tests.unit.test_follow_up_questions import names


def read(text: str) -> tuple[str, ...]:
    return clauses_of(text, names("Ana", "Ben Stone", "Cleo"))


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (
            "when did we choose the venue and who pays for it?",
            ("when did we choose the venue", "who pays for it"),
        ),
        ("When is the deploy? Who has the key?", ("When is the deploy", "Who has the key")),
        (
            "who broke the build, and did anybody fix the printer?",
            ("who broke the build", "did anybody fix the printer"),
        ),
        (
            "what did Ana say about the venue and Ben about the price?",
            ("what did Ana say about the venue", "what did Ben say about the price"),
        ),
        (
            "compare what Ana said about the venue and Ben Stone about the price",
            ("what Ana said about the venue", "what Ben Stone said about the price"),
        ),
        ("compare the budget of May with the budget of June", ("the budget of May", "the budget of June")),
        ("what is the difference between staging and production?", ("staging", "production")),
        ("Postgres vs MySQL?", ("Postgres", "MySQL")),
        ("wann ist der Umzug und wer bringt den Wagen?", ("wann ist der Umzug", "wer bringt den Wagen")),
        ("quand est la fête et qui apporte le gâteau ?", ("quand est la fête", "qui apporte le gâteau")),
        (
            "who has the key, where is the van, when is the move and who cooks the dinner?",
            ("who has the key, where is the van, when is the move", "who cooks the dinner"),
        ),
        (
            "who has keys and where is the van and when is the move and who cooks dinner?",
            ("who has keys", "where is the van", "when is the move and who cooks dinner"),
        ),
    ],
)
def test_a_question_for_several_things_is_cut(text: str, clauses: tuple[str, ...]) -> None:
    assert read(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "when is the deploy?",
        "when and where is the party?",
        "who and when?",
        "what did Ana and Ben say about the venue?",
        "what was said about salt and pepper?",
        "what happened to the build and why?",
        "who decided the venue, and when was that?",
        "compare",
        "compare the three venues",
        "did Ana compare apples and pears and plums?",
        "",
        "and?",
        "?? and ??",
    ],
)
def test_a_question_for_one_thing_stays_whole(text: str) -> None:
    assert read(text) == (text,)


def test_a_long_text_is_cut_in_no_long_time() -> None:
    assert len(read("who has the key and " * 400)) <= 3
