"""What a person reads in a message, from Discord's JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.mentions import named
from memory.message import Part, Source
from memory.message_text import LONGEST, Words, is_said, read_words, rewritten, with_more, words_of

PERSON: dict[str, Any] = {"author": {"id": "1", "bot": False}}
BOT: dict[str, Any] = {"author": {"id": "2", "bot": True}}
WEBHOOK: dict[str, Any] = {"author": {"id": "3"}, "webhook_id": "3"}

CARD: dict[str, Any] = {
    "type": "rich",
    "url": "https://ci.example/7",
    "author": {"name": "CI"},
    "title": "Build 7 failed",
    "description": "main is red",
    "fields": [{"name": "Step", "value": "tests"}, {"name": "\u200b", "value": "see the log"}],
    "footer": {"text": "took 4 min"},
}
PREVIEW = {"type": "article", "url": "https://example.org/a", "title": "A page", "description": "about something"}


def test_a_card_is_read_from_top_to_bottom() -> None:
    card = CARD | {"fields": [*CARD["fields"], {"name": "only a name"}, {}]}

    assert words_of(WEBHOOK | {"content": "alert", "embeds": [card]}).split("\n") == [
        "alert",
        "CI",
        "Build 7 failed",
        "main is red",
        "Step: tests",
        "\u200b: see the log",
        "only a name",
        "took 4 min",
    ]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(PERSON | {"content": "see https://example.org/a", "embeds": [PREVIEW]}, False, id="of a person"),
        pytest.param(BOT | {"content": "see https://example.org/a", "embeds": [PREVIEW]}, False, id="of a bot"),
        pytest.param({"content": "see https://example.org/a", "embeds": [PREVIEW]}, False, id="of nobody known"),
        pytest.param(PERSON | {"content": "http://fx.example", "embeds": [CARD]}, False, id="a rich one of a person"),
        pytest.param(PERSON | {"content": "no address", "embeds": [CARD]}, True, id="a card without any link"),
        pytest.param({"content": "see https://ci.example/7", "embeds": [CARD]}, False, id="a rich forwarded one"),
        pytest.param({"content": "look", "embeds": [CARD]}, True, id="a forwarded card"),
        pytest.param(BOT | {"content": "https://ci.example/7", "embeds": [CARD]}, True, id="a bot's own card"),
        pytest.param(WEBHOOK | {"content": "https://ci.example/7", "embeds": [CARD]}, True, id="a webhook's own card"),
        pytest.param(BOT | {"content": "", "embeds": [PREVIEW]}, True, id="nothing that could be previewed"),
    ],
)
def test_the_preview_of_a_linked_page_is_not_what_was_said(message: dict[str, Any], words: bool) -> None:
    assert (words_of(message) != message["content"]) == words


def test_a_poll_is_its_question_and_its_answers() -> None:
    answers = [{"text": "Pizza", "emoji": {"name": "🍕"}}, {"text": "Soup"}, {"emoji": {"name": "🍣"}}]
    poll = {"question": {"text": "Lunch?"}, "answers": [{"poll_media": media} for media in answers]}

    assert words_of({"content": "vote!", "poll": poll}) == "vote!\nPoll: Lunch?\n- 🍕 Pizza\n- Soup\n- 🍣"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(
            {"total_votes": "5", "victor_answer_votes": "3", "victor_answer_text": "Pizza"},
            "Winner: Pizza (3 of 5 votes)",
            id="a victor",
        ),
        pytest.param({"total_votes": "4"}, "No winner (4 votes)", id="a tie"),
        pytest.param({}, "No winner (0 votes)", id="no vote"),
    ],
)
def test_the_result_of_a_poll_tells_who_won(fields: dict[str, str], words: str) -> None:
    fields = {"poll_question_text": "Lunch?"} | fields
    card = {"type": "poll_result", "fields": [{"name": name, "value": value} for name, value in fields.items()]}

    assert words_of(PERSON | {"content": "", "embeds": [card]}) == f"The poll has closed: Lunch?\n{words}"


def test_a_poll_that_has_closed_tells_the_votes_of_each_answer_and_an_open_one_those_so_far() -> None:
    answers = [{"answer_id": at, "poll_media": {"text": text}} for at, text in enumerate(("Soup", "Rice", "Pie"), 1)]
    counts = [{"id": 1, "count": 3}, {"id": 2, "count": 1}, {"id": 3, "count": 0}, {"id": None, "count": "?"}]
    poll = {"question": {"text": "Lunch?"}, "answers": answers}
    closed = poll | {"results": {"is_finalized": True, "answer_counts": counts}}
    is_open = poll | {"results": {"is_finalized": False, "answer_counts": counts}}

    assert words_of({"poll": closed}).split("\n") == [
        *("Poll: Lunch?", "- Soup (3 votes)", "- Rice (1 vote)", "- Pie (0 votes)", "(the poll has closed)"),
    ]
    assert words_of({"poll": is_open}) == "Poll: Lunch?\n- Soup (3 votes so far)\n- Rice (1 vote so far)\n- Pie"
    assert words_of({"poll": poll | {"results": 7}}) == "Poll: Lunch?\n- Soup\n- Rice\n- Pie"


def test_automod_tells_which_words_broke_which_rule() -> None:
    fields = [{"name": "rule_name", "value": "No insults"}, {"name": "channel_id", "value": "12"}]
    card = {"type": "auto_moderation_message", "description": "you goose", "fields": fields}

    assert words_of(PERSON | {"content": "", "embeds": [card]}) == "AutoMod rule: No insults\nyou goose"


def test_the_texts_of_components_are_read_and_their_controls_are_not() -> None:
    button = {"type": 2, "label": "Approve", "custom_id": "yes"}
    section = {
        "type": 9,
        "components": [{"type": 10, "content": "## Release"}, {"type": 10, "content": "4 changes"}],
        "accessory": {"type": 11, "media": {"url": "u"}, "description": "a rocket"},
    }
    gallery = {"type": 12, "items": [{"media": {}, "description": "a cat"}, {"description": "a dog", "spoiler": True}]}
    menu = {"type": 3, "placeholder": "Choose", "options": [{"label": "One"}]}
    components = [
        {"type": 17, "components": [section, gallery, {"type": 1, "components": [button, menu]}]},
        {"type": 17, "spoiler": True, "components": [{"type": 10, "content": "the || end"}]},
        {"type": 99, "components": [{"type": 98, "content": "of a later time"}]},
    ]

    assert words_of(BOT | {"content": "", "components": components}).split("\n") == [
        "## Release",
        "4 changes",
        "(picture: a rocket)",
        "(picture: a cat)",
        "||(picture: a dog)||",
        "||the  end||",
        "of a later time",
    ]


def test_stickers_pictures_and_forwarded_words_are_read() -> None:
    forwarded = {
        "content": "the original",
        "embeds": [CARD],
        "components": [{"type": 10, "content": "in a component"}],
        "attachments": [{"filename": "SPOILER_x.png", "description": "the end"}],
        "sticker_items": [{"name": "Wave"}],
    }
    files = [{"filename": "a.png", "description": "a plan"}, {"filename": "b.png", "description": "", "flags": 8}]

    assert words_of(PERSON | {"content": "", "attachments": files, "message_snapshots": [{"message": forwarded}]}) == (
        "(picture: a plan)\nthe original\n||(picture: the end)||\nCI\nBuild 7 failed\nmain is red\nStep: tests\n"
        "\u200b: see the log\ntook 4 min\nin a component\n(sticker: Wave)"
    )


@pytest.mark.parametrize(
    ("file", "words"),
    [
        pytest.param({"filename": "voice-message.ogg", "duration_secs": 12.3}, "(voice message, 12 s)", id="spoken"),
        pytest.param({"filename": "voice-message.ogg", "duration_secs": 75}, "(voice message, 1 min 15 s)", id="long"),
        pytest.param({"filename": "voice-message.ogg"}, "(voice message)", id="of unknown length"),
        pytest.param(
            {"filename": "a.ogg", "waveform": "AA==", "duration_secs": "x"}, "(voice message)", id="a waveform"
        ),
        pytest.param(
            {"filename": "v.ogg", "waveform": "A", "duration_secs": float("inf")}, "(voice message)", id="endless"
        ),
        pytest.param({"filename": "clip.mp4", "duration_secs": 9}, "", id="a film"),
        pytest.param({"filename": "r_sum.pdf", "title": "Résumé of May"}, "(file: Résumé of May)", id="a title"),
        pytest.param({"filename": "plan.pdf", "title": "plan"}, "", id="a title that is the name"),
        pytest.param({"filename": "SPOILER_x.pdf", "title": "The end"}, "||(file: The end)||", id="a hidden title"),
    ],
)
def test_what_a_file_is_called_and_how_long_a_voice_speaks_is_read(file: dict[str, Any], words: str) -> None:
    assert words_of({"content": "", "attachments": [file]}) == words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param({"type": 18, "content": "Plans"}, "started a thread: Plans", id="a new thread"),
        pytest.param({"type": 4, "content": "Old plans"}, "changed the title to: Old plans", id="a new title"),
        pytest.param({"type": 18, "content": ""}, "", id="a thread without a title"),
        pytest.param({"type": 63, "content": "of later"}, "of later", id="a type that nobody knows"),
    ],
)
def test_the_title_that_somebody_gives_is_read(message: dict[str, Any], words: str) -> None:
    assert words_of(message) == words


def test_the_title_of_a_thread_that_hangs_on_a_message_is_read_there() -> None:
    assert words_of({"content": "Who helps?", "thread": {"id": "5", "name": "Plans"}}) == "Who helps?\n(thread: Plans)"


@pytest.mark.parametrize(
    ("kind", "content", "is_somebodys"),
    [
        pytest.param(0, "", True, id="a message"),
        pytest.param(46, "", True, id="how a poll ended"),
        pytest.param(18, "Plans", True, id="a title"),
        pytest.param(18, "", False, id="no title"),
        pytest.param(7, "words", False, id="a join"),
        pytest.param("Default", "words", False, id="no number"),
    ],
)
def test_what_somebody_said_is_told_by_its_type(kind: object, content: str, is_somebodys: bool) -> None:
    assert is_said(kind, content) is is_somebodys


def test_what_begins_a_thread_is_read_in_it_where_the_same_person_said_it() -> None:
    said = {"content": "It blinks", "author": {"id": "7"}, "sticker_items": [{"name": "Wave"}]}
    begins = {"type": 21, "content": "", "author": {"id": "7"}, "referenced_message": said}

    assert words_of(begins) == "It blinks\n(sticker: Wave)"
    assert words_of(begins | {"author": {"id": "8"}}) == ""
    assert words_of(begins | {"author": {}, "referenced_message": said | {"author": {}}}) == ""
    assert words_of(begins | {"type": 19, "content": "yes"}) == "yes"
    assert words_of(begins | {"referenced_message": None}) == ""


def test_a_long_text_of_its_own_is_never_cut() -> None:
    assert words_of(WEBHOOK | {"content": "a" * (LONGEST + 5), "embeds": [CARD]}).startswith("a" * (LONGEST + 5))


def test_what_is_kept_of_one_message_is_bounded_and_leaves_no_spoiler_open() -> None:
    cards = [{"description": "word " * 500} for _ in range(30)]
    hidden = [{"type": 17, "spoiler": True, "components": [{"type": 10, "content": "secret " * 5000}]}]

    assert LONGEST - 2 <= len(words_of(WEBHOOK | {"embeds": cards})) <= LONGEST
    assert words_of(WEBHOOK | {"components": hidden}).endswith("…||")
    assert len(words_of(WEBHOOK | {"components": hidden})) <= LONGEST


def nested(depth: int) -> dict[str, Any]:
    message: dict[str, Any] = {"content": "deep"}
    for _ in range(depth):
        message = {"message_snapshots": [{"message": message}], "components": [message]}
    return message


JUNK: list[Any] = [None, True, 7, "text", [], {}, [None, 7, "text", [[]], {}], {"message": 1, "text": [], "name": {}}]
FIELDS = ("content", "author", "webhook_id", "attachments", "embeds", "components", "poll", "sticker_items")


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_field_of_an_unexpected_form_costs_nothing_but_itself(junk: Any) -> None:
    for name in FIELDS:
        kept = {"content": "kept", "sticker_items": [{"name": "Wave"}]} | {name: junk}
        assert "kept" in words_of(kept) or name == "content"
        assert "(sticker: Wave)" in words_of(kept) or name == "sticker_items"
    for name in ("type", "title", "url", "author", "fields", "footer", "description"):
        assert "main is red" in words_of(BOT | {"embeds": [CARD | {name: junk}]}) or name in {"description", "type"}
    for name in ("question", "answers"):
        words_of({"poll": {"question": {"text": "?"}, "answers": [{"poll_media": junk}]} | {name: junk}})
    words_of({"components": [{"components": junk, "items": junk, "accessory": junk, "content": junk, "spoiler": junk}]})


def test_messages_within_messages_end_somewhere() -> None:
    assert words_of(nested(3)) != ""
    words_of(nested(12))


# ---- where each part comes from


def sources_of(words: Words) -> list[tuple[str, str]]:
    return [(part.source.value, words.text[part.start : part.end]) for part in words.parts]


def test_each_part_of_a_text_tells_where_it_comes_from() -> None:
    message = {
        "content": "look",
        "attachments": [
            {"filename": "a.txt", "title": "The plan"},
            {"filename": "kiln.png", "description": "a kiln"},
            {"filename": "voice-message.ogg", "duration_secs": 3},
        ],
        "message_snapshots": [{"message": {"content": "one", "sticker_items": [{"name": "Wave"}]}}],
        "poll": {"question": {"text": "Lunch?"}, "answers": []},
        "embeds": [CARD],
        "components": [{"content": "below"}],
        "sticker_items": [{"name": "Nod"}],
        "thread": {"name": "Plans"},
        "applied_tags": [{"name": "Solved"}, {"name": "Kiln"}],
    }

    words = read_words(WEBHOOK | message)

    assert sources_of(words) == [
        ("authored", "look"),
        ("file", "(file: The plan)"),
        ("picture", "(picture: a kiln)"),
        ("voice", "(voice message, 3 s)"),
        ("forward", "one\n(sticker: Wave)"),
        ("poll", "Poll: Lunch?"),
        ("card", words_of(WEBHOOK | {"embeds": [CARD]})),
        ("component", "below"),
        ("sticker", "(sticker: Nod)"),
        ("title", "(thread: Plans)"),
        ("title", "(tags: Solved, Kiln)"),
    ]


def is_covered(words: Words) -> bool:
    """Whether the parts are in order, do not overlap, and leave out nothing but single line ends between them."""
    ends = [0, *(part.end for part in words.parts)]
    starts = [*(part.start for part in words.parts), len(words.text)]
    between = [words.text[end:start] for end, start in zip(ends, starts, strict=True)]
    return (
        all(end <= start for end, start in zip(ends, starts, strict=True))
        and all(part.start < part.end for part in words.parts)
        and set(between[1:-1]) <= {"\n"}
        and (between[0], between[-1]) == ("", "")
    )


SAID = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["<@7> and <@9>", "||hidden||", "a" * LONGEST, "\ud83d", "line\nbelow", " ", "<@7"]
)
MESSAGES = st.fixed_dictionaries(
    {"content": SAID, "mentions": st.just([{"id": "7", "username": "a name of some length"}])},
    optional={
        "attachments": st.lists(st.fixed_dictionaries({"filename": SAID, "description": SAID, "title": SAID})),
        "message_snapshots": st.lists(st.fixed_dictionaries({"message": st.fixed_dictionaries({"content": SAID})})),
        "embeds": st.lists(st.fixed_dictionaries({"title": SAID, "description": SAID})),
        "components": st.lists(st.fixed_dictionaries({"content": SAID})),
        "sticker_items": st.lists(st.fixed_dictionaries({"name": SAID})),
        "poll": st.fixed_dictionaries({"question": st.fixed_dictionaries({"text": SAID})}),
    },
)


@given(MESSAGES, SAID, st.lists(st.tuples(st.sampled_from(list(Source)), SAID), max_size=3))
def test_the_parts_cover_the_text_however_it_is_cut_and_named(
    message: dict[str, Any], name: str, more: list[tuple[Source, str]]
) -> None:
    words = read_words(message | WEBHOOK, lambda sign, mentioned: name)
    longer = with_more(words, more)
    renamed = rewritten(longer, lambda text: named(text, lambda sign, mentioned: "Dora"))

    assert is_covered(words)
    assert longer.text.startswith(words.text)
    assert all(is_covered(found) for found in (longer, renamed))
    assert [part.source for part in renamed.parts] == [part.source for part in longer.parts]


def test_spans_that_fit_no_text_are_left_out_when_it_is_rewritten() -> None:
    overlapping = tuple(Part(source=Source.CARD, start=start, end=3) for start in (0, 1))

    assert rewritten(Words("abc", overlapping), str.upper) == Words("ABC")
    assert rewritten(Words("abc", (Part(source=Source.CARD, start=0, end=9),)), str.upper) == Words("ABC")
