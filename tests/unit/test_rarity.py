"""The words of a question count for more the fewer messages have them."""

from memory.search.terms import weighed
from tests.builders import message

SAID = [message(1, "the kiln is cold"), message(2, "the kiln is hot"), message(3, "glazed mugs"), message(4, "")]


def test_a_rare_word_weighs_more_than_a_common_one_and_an_unknown_one_most() -> None:
    kiln, glaze, budget = weighed("is there a kiln, a glaze, a budget?", SAID)

    assert (kiln.keyword.text, glaze.keyword.text, budget.keyword.text) == ("kiln", "glaze", "budget")
    assert 0 < kiln.weight < glaze.weight < budget.weight
    assert (kiln.is_known, glaze.is_known, budget.is_known) == (True, True, False)


def test_a_question_without_telling_words_has_none_to_weigh() -> None:
    assert weighed("what was it?", SAID) == ()
