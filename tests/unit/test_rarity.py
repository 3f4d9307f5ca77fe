"""The words of a question count for more the fewer messages have them."""

from memory.search.terms import keywords_of, stems_in, weighed
from tests.builders import message

SAID = [message(1, "the kiln is cold"), message(2, "the kiln is hot"), message(3, "glazed mugs"), message(4, "")]


def test_a_rare_word_weighs_more_than_a_common_one_and_an_unknown_one_most() -> None:
    kiln, glaze, budget = weighed("is there a kiln, a glaze, a budget?", SAID)

    assert (kiln.keyword.text, glaze.keyword.text, budget.keyword.text) == ("kiln", "glaze", "budget")
    assert 0 < kiln.weight < glaze.weight < budget.weight
    assert (kiln.is_known, glaze.is_known, budget.is_known) == (True, True, False)


def test_a_question_without_telling_words_has_none_to_weigh() -> None:
    assert weighed("what was it?", SAID) == ()


def test_a_word_is_known_by_every_message_that_has_a_form_of_it_and_by_no_other() -> None:
    said = [*SAID, message(5, "Kilns, glazing and a budgeted mug"), message(6, "kiln " * 30), message(7, "k" * 60)]
    question = f"kilns, glaze, mug, budgets or {'k' * 60}?"

    words = weighed(question, said)

    having = [sum(not word.stems.isdisjoint(stems_in(one)) for one in said) for word in keywords_of(question)]
    assert having == [4, 2, 2, 1, 1]
    assert [word.is_known for word in words] == [True] * 5
    assert sorted(words, key=lambda word: word.weight, reverse=True) == [
        words[3],
        words[4],
        words[1],
        words[2],
        words[0],
    ]
