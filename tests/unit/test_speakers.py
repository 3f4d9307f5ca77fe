"""Whose words a question asks for is read out of it, however the people are called and however it says so."""

from datetime import UTC, datetime

import pytest

from memory.names.known import Index, KnownNames, Named, Person
from memory.question.speakers import Speakers, authors_called, may_name_speakers, speakers_in
from time_expressions.folding import FoldedText

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
HERE = frozenset({1})

PEOPLE = {
    1: "Mira",
    2: "oleg (asleep)",
    3: "[Admin] Tove",
    4: "\u2728Yuna\u2728",
    5: "the_old_hugo",
    6: "Prof. Quill",
    7: "Miranda",
    8: "Zo\u00eb",
    9: "Anne-Marie Duval",
    10: "RED | Pavel",
    11: "m.a.r.e.k#0042",
    12: "xX_Viper_Xx",
    13: "GreyHeron",
    14: "\u1d0b\u1d00\u1d1b\u1d00",
    15: "\u24c7\u24e4\u24d3\u24d8",
    16: "\U0001d4d8\U0001d4fb\U0001d4f2\U0001d4fc",
    17: "\uff2e\uff41\uff4f\uff4d\uff49",
    18: "June",
    19: "Will",
    20: "\U0001f409\U0001f409",
    21: "Ben99",
    22: "Mira Lopez \u2615",
    24: "\u4f50\u85e4\u3055\u3093",
    23: "nils \uff5c on holiday",
    25: "Fiona O'Dowd (she/her)",
}


def known(people: dict[int, str] = PEOPLE, *, place: int = 1) -> KnownNames:
    """Return the names of people who have spoken in a place, as they are known in place 1."""
    index = Index()
    for author_id, name in people.items():
        index.add(Named(place, place, "general", name, NOW, author_id))
    return KnownNames(HERE, (index,))


def read(text: str, names: KnownNames | None = None) -> Speakers:
    """Return the speakers of a text; none where it is not even looked for them."""
    folded = FoldedText(text)
    return speakers_in(folded, names or known()) if may_name_speakers(folded) else Speakers()


def asked_for(text: str) -> set[int]:
    """Return the ids of those whose words a text asks for."""
    authors = read(text).authors
    assert authors is None or not authors.excluded
    return set(authors.ids) if authors else set()


def left_out(text: str) -> set[int]:
    """Return the ids of those whose words a text does not ask for."""
    authors = read(text).authors
    assert authors is not None
    assert authors.excluded
    return set(authors.ids)


@pytest.mark.parametrize(
    ("name", "person"),
    [
        pytest.param("Tove", 3, id="without a tag in brackets"),
        pytest.param("Oleg", 2, id="without a state"),
        pytest.param("nils", 23, id="without a state behind a full width bar"),
        pytest.param("Yuna", 4, id="without emoji"),
        pytest.param("Hugo", 5, id="a word between underscores"),
        pytest.param("the old hugo", 5, id="all words between underscores"),
        pytest.param("the_old_hugo", 5, id="as it is written"),
        pytest.param("Quill", 6, id="without a title"),
        pytest.param("Prof. Quill", 6, id="with a title"),
        pytest.param("Zoe", 8, id="without the accent"),
        pytest.param("Anne Marie", 9, id="without the hyphen"),
        pytest.param("anne-marie", 9, id="the first words"),
        pytest.param("Duval", 9, id="the last word"),
        pytest.param("Pavel", 10, id="behind a bar"),
        pytest.param("Marek", 11, id="letters with dots between them"),
        pytest.param("m.a.r.e.k", 11, id="letters with dots in the question too"),
        pytest.param("Viper", 12, id="between marks of letters"),
        pytest.param("grey heron", 13, id="the words of capitals"),
        pytest.param("GreyHeron", 13, id="words of capitals as they are written"),
        pytest.param("Kata", 14, id="small capitals"),
        pytest.param("Rudi", 15, id="letters in circles"),
        pytest.param("Iris", 16, id="mathematical letters"),
        pytest.param("Naomi", 17, id="full width"),
        pytest.param("\U0001f409\U0001f409", 20, id="signs alone"),
        pytest.param("Ben", 21, id="without the digits"),
        pytest.param("Mr. Pavel", 10, id="with a title that is no part of it"),
        pytest.param("@Tove", 3, id="with the sign of a mention"),
        pytest.param("<@5>", 5, id="a mention"),
        pytest.param("<@!5>", 5, id="a mention of old"),
        pytest.param("<@777>", 777, id="a mention of somebody who never spoke"),
        pytest.param("June", 18, id="a month"),
        pytest.param("\u4f50\u85e4", 24, id="without a title in another script"),
        pytest.param("O'Dowd", 25, id="the last name with a letter before it"),
        pytest.param("Fiona O'Dowd", 25, id="first and last name"),
        pytest.param("Will", 19, id="a verb"),
        pytest.param("Miranda", 7, id="a name that begins like another"),
    ],
)
def test_somebody_is_called_by_any_word_of_a_name(name: str, person: int) -> None:
    assert asked_for(f"what did {name} say about the raft?") == {person}


def test_the_letter_before_a_last_name_is_part_of_it() -> None:
    assert read("what did O'Dowd say?").names == {"o", "dowd"}


@pytest.mark.parametrize("text", ["what did Mira say?", "Mira's messages", "posted by mira"])
def test_all_who_are_called_so_are_meant(text: str) -> None:
    assert asked_for(text) == {1, 22}
    assert read(text).calls == (("mira" if "by" in text else "Mira", frozenset[Person]({1, 22})),)


@pytest.mark.parametrize(
    "text",
    [
        "what did Oleg tell us about the raft?",
        "what has Oleg replied?",
        "has oleg answered yet?",
        "did Oleg ever mention the raft?",
        "when did Oleg last post?",
        "what does Oleg think about the raft?",
        "what was Oleg proposing?",
        "what is oleg suggesting?",
        "what didn't Oleg say?",
        "which link did Oleg share?",
        "the picture Oleg uploaded",
        "what did Oleg have to say about it?",
        "what did Oleg say?",
        "did Mr. Oleg recommend it?",
        "show me what Oleg wrote",
        "anything new from Oleg?",
        "Oleg said what?",
        "do we know what Oleg said about it?",
        "who did Oleg mention?",
        "a list of Oleg's messages",
        "when did Oleg say that?",
        "what has Oleg been saying?",
        "what did Oleg bring up?",
        "the latest from Oleg",
        "Oleg's pictures",
        "olegs take on it",
        "Oleg promised a raft",
        "Oleg, did he complain? Oleg complained.",
        "Oleg's reply to the plan",
        "Oleg's last two posts",
        "oleg\u2019s opinion on rafts",
        "Oleg's take on it",
        "according to Oleg, who won?",
        "the message was sent by Oleg",
        "what was posted here yesterday by Oleg?",
        "anything from Oleg on the raft?",
        "links by Oleg",
        "the recommendation of Oleg",
        "nobody but Oleg wrote that",
        "what did no one but Oleg say?",
        "will Oleg announce it?",
    ],
)
def test_words_are_asked_for_in_many_ways(text: str) -> None:
    assert asked_for(text) == {2}


@pytest.mark.parametrize(
    "text",
    [
        "what did everyone but Oleg say?",
        "what did everybody except Oleg say?",
        "did anyone besides Oleg reply?",
        "who other than Oleg posted a link?",
        "what was said by all apart from Oleg?",
        "messages not by Oleg",
        "show the posts without Oleg's messages",
        "what did people say, aside from Oleg?",
        "what did everyone else but <@2> say?",
        "has anyone but Oleg seen the raft?",
        "what was not said by Oleg?",
        "what hasn't been posted by Oleg?",
        "messages that aren't from Oleg",
        "without Oleg, who talked about it?",
        "all messages but Oleg's",
        "who (other than Oleg) replied?",
    ],
)
def test_somebody_is_left_out(text: str) -> None:
    assert left_out(text) == {2}


@pytest.mark.parametrize(
    "text",
    [
        "Tove, Oleg and Yuna said",
        "did Tove & Oleg & Yuna talk?",
        "Tove's, Oleg's and Yuna's posts",
        "Tove and/or Oleg, Yuna wrote",
    ],
)
def test_names_follow_each_other_in_many_ways(text: str) -> None:
    assert asked_for(text) == {2, 3, 4}


def test_several_are_left_out_with_all_who_are_called_so() -> None:
    assert left_out("what did anyone except Mira and Oleg mention?") == {1, 2, 22}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("what was Oleg asked to bring?", id="somebody who was asked"),
        pytest.param("Oleg was told what?", id="somebody who was told"),
        pytest.param("what did we say about Oleg?", id="somebody who is spoken of"),
        pytest.param("who replied to Oleg?", id="somebody who is spoken to"),
        pytest.param("what did Oleg bring?", id="somebody who did something else"),
        pytest.param("who answered when Oleg asked about the raft?", id="when somebody asked"),
        pytest.param("who brought the raft that Oleg mentioned?", id="what somebody mentioned"),
        pytest.param("who answered Oleg's question?", id="an answer to somebody"),
        pytest.param("comments on Oleg's post", id="a comment on somebody's words"),
        pytest.param("what do people think of Oleg's idea?", id="what others think of somebody's words"),
        pytest.param("did anyone see Oleg's picture?", id="who saw somebody's picture"),
        pytest.param("a photo of Oleg", id="somebody in a picture"),
        pytest.param("what did the team say on holiday plans?", id="words of a state"),
        pytest.param("what did the old admin say?", id="words of tags"),
        pytest.param("what did Mirandas say?", id="a longer word"),
        pytest.param("what will be said?", id="a verb that is a name"),
        pytest.param("what did <@&5> say?", id="a role"),
        pytest.param("what did the heron say?", id="a word with an article"),
        pytest.param("is there a viper talk on rafts?", id="a noun that is a verb as well"),
    ],
)
def test_nobody_is_meant_by(text: str) -> None:
    assert read(text).authors is None


def test_nobody_is_known_by_a_name_of_another_place() -> None:
    assert read("what did Oleg say?", known(place=2)).authors is None


@pytest.mark.parametrize("text", ["what did Oleg and Tove say?", "what did everyone but Oleg and Tove say?"])
def test_names_that_are_passed_on_mean_the_same_people(text: str) -> None:
    speakers = read(text)

    assert authors_called(speakers.called, known()) == speakers.authors


@pytest.mark.parametrize(
    ("called", "ids"),
    [
        pytest.param(["oleg (asleep)"], {2}, id="as it is shown"),
        pytest.param(["@Oleg", "<@3>"], {2, 3}, id="two"),
        pytest.param(["\U0001f409\U0001f409"], {20}, id="signs"),
        pytest.param(["Nobody", ""], set(), id="nobody"),
    ],
)
def test_names_of_a_list_are_matched_as_those_of_a_question(called: list[str], ids: set[int]) -> None:
    authors = authors_called(called, known())

    assert (set(authors.ids), authors.excluded) == (ids, False)
