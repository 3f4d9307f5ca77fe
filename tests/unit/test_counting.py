"""A question for a number or a list is told from a question for what was said."""

import pytest

from memory.counting.question import read_request
from memory.counting.request import CountRequest, Wanted
from memory.counting.words import Sought
from tests.fuzz.limits import in_time

CALLED = frozenset({"ana", "ben"})


def asked(text: str) -> tuple[Wanted, Sought, str, str, str] | None:
    request = read_request(text, called=CALLED)
    if request is None:
        return None
    return request.wanted, request.sought, request.terms, request.attribute, request.by


@pytest.mark.parametrize(
    ("text", "terms", "by"),
    [
        ("how many times did ben mention cobalt?", "cobalt", "ben"),
        ("How often was raku mentioned?", "raku", ""),
        ("how often has the kiln shelf been mentioned so far?", "kiln shelf", ""),
        ("how many times was cobalt mentioned by Ben?", "cobalt", "Ben"),
        ("how often do we talk about the budget?", "budget", ""),
        ("how often does raku come up?", "raku", ""),
        ('how many times did anyone say "no more"?', '"no more"', ""),
        ("how many times was the word kiln used?", "kiln", ""),
        ("how many times was 😂 used?", "😂", ""),
        ("how many times did someone say thank you?", "thank you", ""),
        ("count how often ana wrote lol", "lol", "ana"),
        ("how many messages did Ana post?", "", "Ana"),
        ("please count the messages that mention kiln", "kiln", ""),
        ("count messages with 'kiln'", '"kiln"', ""),
        ("number of messages from Cleo", "", "Cleo"),
        ("what's the number of messages by Ana and Ben?", "", "Ana and Ben"),
        ("how many messages are there in total?", "", ""),
        ("how many messages about glaze did ben write?", "glaze", "ben"),
        ("how many mentions of cobalt by ben are there?", "cobalt", "ben"),
        ("message count of Ana", "", "Ana"),
        ("in how many messages is raku mentioned?", "raku", ""),
        ("how many messages are about raku?", "raku", ""),
        ("total messages", "", ""),
        ("how many messages contain link rot?", "link rot", ""),
        ("count messages by ben that mention the licence", "licence", "ben"),
        ("how many messages from Ana about the licence are there?", "licence", "Ana"),
    ],
)
def test_how_many_messages_there_are_is_a_number_of_messages(text: str, terms: str, by: str) -> None:
    assert asked(text) == (Wanted.NUMBER, Sought.MESSAGES, terms, "", by)


@pytest.mark.parametrize(
    ("text", "wanted", "terms"),
    [
        ("how many people talked about the kiln?", Wanted.PEOPLE, "kiln"),
        ("how many different users mentioned glaze?", Wanted.PEOPLE, "glaze"),
        ("how many people have posted?", Wanted.PEOPLE, ""),
        ("who mentioned cobalt most?", Wanted.MOST, "cobalt"),
        ("who talks the most about glaze?", Wanted.MOST, "glaze"),
        ("who most often brings up the budget?", Wanted.MOST, "budget"),
        ("who has written the most messages?", Wanted.MOST, ""),
        ("who is the most active member?", Wanted.MOST, ""),
        ("when was raku first mentioned?", Wanted.FIRST, "raku"),
        ("who was the first to mention raku?", Wanted.FIRST, "raku"),
        ("who mentioned raku first?", Wanted.FIRST, "raku"),
        ("when was the first mention of raku?", Wanted.FIRST, "raku"),
        ("when did we last talk about the budget?", Wanted.LAST, "budget"),
        ("when was the last time that ben mentioned cobalt?", Wanted.LAST, "cobalt"),
        ("who mentioned cobalt most recently?", Wanted.LAST, "cobalt"),
        ("when was raku mentioned for the first time?", Wanted.FIRST, "raku"),
        ("the last time raku was mentioned", Wanted.LAST, "raku"),
        ("mentions of raku", Wanted.LIST, "raku"),
        ("how many people were active?", Wanted.PEOPLE, ""),
        ("what was the last message that mentions raku?", Wanted.LAST, "raku"),
        ("list all messages that mention cobalt", Wanted.LIST, "cobalt"),
    ],
)
def test_people_and_order_are_asked_for_in_many_ways(text: str, wanted: Wanted, terms: str) -> None:
    found = read_request(text, called=CALLED)

    assert found is not None
    assert (found.wanted, found.sought, found.terms) == (wanted, Sought.MESSAGES, terms)


@pytest.mark.parametrize(
    ("text", "sought", "terms", "attribute", "by"),
    [
        ("list all links", Sought.LINKS, "", "", ""),
        ("which links did Ben post?", Sought.LINKS, "", "", "Ben"),
        ("any YouTube links?", Sought.LINKS, "", "YouTube", ""),
        ("links to youtube", Sought.LINKS, "", "youtube", ""),
        ("links from youtube", Sought.LINKS, "", "youtube", ""),
        ("links from Ana", Sought.LINKS, "", "", "Ana"),
        ("links from Ana about glaze", Sought.LINKS, "glaze", "", "Ana"),
        ("ana's links about glaze chemistry", Sought.LINKS, "glaze chemistry", "", "ana"),
        ("show me the pictures", Sought.PICTURES, "", "", ""),
        ("did anyone post a picture?", Sought.PICTURES, "", "", ""),
        ("are there pictures of the kiln shelf?", Sought.PICTURES, "kiln shelf", "", ""),
        ("have any pictures been posted?", Sought.PICTURES, "", "", ""),
        ("what files were shared?", Sought.FILES, "", "", ""),
        ("the PDF Ana posted", Sought.PDFS, "", "", "Ana"),
        ("invoices?", Sought.FILES, "", "invoices", ""),
        ("which invoice did Ana attach?", Sought.FILES, "", "invoice", "Ana"),
        ("have you got a picture of the shelf?", Sought.PICTURES, "shelf", "", ""),
        ("messages with links", Sought.LINKS, "", "", ""),
        ("screenshots", Sought.PICTURES, "", "", ""),
        ("can you show me all voice messages please", Sought.RECORDINGS, "", "", ""),
        ("polls?", Sought.POLLS, "", "", ""),
        ("who posted that link to the tracker?", Sought.LINKS, "", "tracker", ""),
        ("who shared the link to the issue tracker?", Sought.LINKS, "issue tracker", "", ""),
        ("who was it that sent the youtube link?", Sought.LINKS, "", "youtube", ""),
        ("who posted the photo of the cracked kiln shelf?", Sought.PICTURES, "cracked kiln shelf", "", ""),
        ("who sent the invoice?", Sought.FILES, "", "invoice", ""),
        ("the picture that Ben sent", Sought.PICTURES, "", "", "Ben"),
        ("where is the PDF?", Sought.PDFS, "", "", ""),
        ("who has uploaded the pdf about glaze?", Sought.PDFS, "glaze", "", ""),
    ],
)
def test_links_and_files_are_listed(text: str, sought: Sought, terms: str, attribute: str, by: str) -> None:
    assert asked(text) == (Wanted.LIST, sought, terms, attribute, by)


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("polls?", True),
        ("who sent the kiln picture?", False),
        ("any invoices?", False),
        ("invoices", False),
        ("kiln pictures", False),
        ("Ana's links", False),
    ],
)
def test_a_list_is_certain_unless_its_words_may_mean_something_else(text: str, certain: bool) -> None:
    request = read_request(text, called=CALLED)

    assert request is not None
    assert request.certain is certain


@pytest.mark.parametrize(
    "text",
    [
        "who knows about glaze?",
        "who knows most about glaze?",
        "who is the expert on glaze?",
        "who can help with glaze?",
    ],
)
def test_who_knows_about_something_may_be_asked_in_many_ways(text: str) -> None:
    assert asked(text) == (Wanted.KNOWERS, Sought.MESSAGES, "glaze", "", "")


def test_who_posted_several_things_asks_for_people() -> None:
    assert asked("who posted pictures?") == (Wanted.PEOPLE, Sought.PICTURES, "", "", "")
    assert asked("who shared links?") == (Wanted.PEOPLE, Sought.LINKS, "", "", "")


@pytest.mark.parametrize(
    ("text", "terms", "by"),
    [
        ("first and last message of Ben", "", "Ben"),
        ("when was cobalt first and last mentioned?", "cobalt", ""),
        ("when was raku first/last mentioned?", "raku", ""),
        ("when did Ana first and last mention raku?", "raku", "Ana"),
        ("the first and the last message about glaze", "glaze", ""),
    ],
)
def test_both_ends_are_asked_for_at_once(text: str, terms: str, by: str) -> None:
    assert asked(text) == (Wanted.ENDS, Sought.MESSAGES, terms, "", by)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("when was Ben last active?", Wanted.LAST),
        ("when was Ben first seen?", Wanted.FIRST),
        ("when did Ben last post something?", Wanted.LAST),
        ("when did Ben last say anything?", Wanted.LAST),
        ("when did Ben first write here?", Wanted.FIRST),
    ],
)
def test_when_somebody_was_active_is_their_first_or_last_message(text: str, wanted: Wanted) -> None:
    assert asked(text) == (wanted, Sought.MESSAGES, "", "", "Ben")


def test_links_and_files_are_counted() -> None:
    assert asked("how many links did Ana share?") == (Wanted.NUMBER, Sought.LINKS, "", "", "Ana")
    assert asked("how many messages contain a link?") == (Wanted.NUMBER, Sought.LINKS, "", "", "")
    assert asked("who posted the most pictures?") == (Wanted.MOST, Sought.PICTURES, "", "", "")
    assert asked("how many people posted pictures?") == (Wanted.PEOPLE, Sought.PICTURES, "", "", "")


def test_the_last_picture_is_one_and_the_last_pictures_are_a_list() -> None:
    assert asked("the last picture Ben posted") == (Wanted.LAST, Sought.PICTURES, "", "", "Ben")
    assert asked("what was the first picture?") == (Wanted.FIRST, Sought.PICTURES, "", "", "")
    assert asked("the last pictures") == (Wanted.LIST, Sought.PICTURES, "", "", "")


def test_whoever_asks_may_ask_for_their_own() -> None:
    request = CountRequest(wanted=Wanted.NUMBER, terms="cobalt", by_asker=True)

    assert read_request("how often did I mention cobalt?") == request


@pytest.mark.parametrize(
    "text",
    [
        "how many euro is the budget?",
        "how many grams of feldspar go into the glaze?",
        "how many people come to the exhibition?",
        "how many people said they will come?",
        "how many people are there?",
        "how many messages can a free workspace store?",
        "how many files does the backup contain?",
        "how many pictures fit on a page?",
        "how many photos were lost?",
        "how many pictures should I send?",
        "how many messages were lost in the outage?",
        "is there a link between glaze and cracks?",
        "how many pictures of soup does ben have?",
        "how many links are broken?",
        "how many images are in the album?",
        "how many posts does the fence have?",
        "how many times did the server crash?",
        "how many times was it mentioned?",
        "how often should I stir?",
        "how often is the kiln fired?",
        "how often was cobalt used?",
        "number of messages per second",
        "who mentioned cobalt?",
        "who posted something about salt?",
        "who sent the kiln back?",
        "who has the key?",
        "who knows the door code?",
        "who knows when the market opens?",
        "who can help?",
        "who was first?",
        "when did ben first say that?",
        "when was the first firing?",
        "when did we last use the kiln?",
        "any news?",
        "any links between salt and fever?",
        "which files were lost?",
        "what was in the picture?",
        "what did the poll say?",
        "file system",
        "what were the last messages?",
        "what was the last message by Ana?",
        "messages from ana",
        "list the steps of the recipe",
        "the file that broke the build",
        "what is the message of the story?",
        "count me in",
        "",
        "?!",
    ],
)
def test_a_question_for_what_was_said_is_none_for_a_number(text: str) -> None:
    assert read_request(text, called=CALLED) is None


@pytest.mark.parametrize("part", ["most ", "how many ", "who first ", "links ", "by ana ", "did ben post ", "'", '"a '])
def test_a_long_question_is_read_in_bounded_time(part: str) -> None:
    text = (part * 2000)[:2000]

    with in_time(len(text)):
        assert read_request(text, called=CALLED) is None
