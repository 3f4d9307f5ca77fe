"""Questions for numbers and lists are understood in seven languages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.agent import Agent
from agent.types import Answer, Outcome
from memory.counting.languages import LANGUAGES, table_of
from memory.counting.question import read_request
from memory.counting.request import Wanted
from memory.counting.results import Tally
from memory.counting.translation import in_english
from memory.counting.words import Sought
from tests.agents import question
from tests.fakes import FakeMemory, said
from tests.fuzz.limits import in_time


def asked(text: str) -> tuple[Wanted, Sought, str, str] | None:
    """Return what a question in another language asks for, to whom it belongs last."""
    english = in_english(text)
    request = read_request(english) if english else None
    return None if request is None else (request.wanted, request.sought, request.terms or request.attribute, request.by)


@pytest.mark.parametrize(
    "text",
    [
        "wie viele Nachrichten hat Ben geschrieben?",
        "combien de messages Ben a-t-il écrits ?",
        "combien de messages a écrit Ben ?",
        "¿cuántos mensajes escribió Ben?",
        "¿cuántos mensajes ha escrito Ben?",
        "quanti messaggi ha scritto Ben?",
        "hoeveel berichten heeft Ben geschreven?",
        "quantas mensagens o Ben escreveu?",
    ],
)
def test_how_many_messages_somebody_wrote(text: str) -> None:
    assert asked(text) == (Wanted.NUMBER, Sought.MESSAGES, "", "Ben")


@pytest.mark.parametrize(
    "text",
    [
        "wie oft wurde raku erwähnt?",
        "combien de fois raku a été mentionné ?",
        "¿cuántas veces se mencionó raku?",
        "quante volte è stato menzionato raku?",
        "hoe vaak is raku genoemd?",
        "quantas vezes raku foi mencionado?",
    ],
)
def test_how_often_something_was_mentioned(text: str) -> None:
    assert asked(text) == (Wanted.NUMBER, Sought.MESSAGES, "raku", "")


@pytest.mark.parametrize(
    "text",
    [
        "wie oft hat Ben raku erwähnt?",
        "combien de fois Ben a mentionné raku ?",
        "¿cuántas veces mencionó Ben raku?",
        "quante volte Ben ha menzionato raku?",
        "hoe vaak heeft Ben raku genoemd?",
        "quantas vezes o Ben mencionou raku?",
    ],
)
def test_how_often_somebody_mentioned_something(text: str) -> None:
    assert asked(text) == (Wanted.NUMBER, Sought.MESSAGES, "raku", "Ben")


@pytest.mark.parametrize(
    "text",
    [
        "wer hat am meisten geschrieben?",
        "wer redet am meisten?",
        "wer ist am aktivsten?",
        "qui a parlé le plus ?",
        "¿quién habló más?",
        "chi ha parlato di più?",
        "wie praat het meest?",
        "quem falou mais?",
    ],
)
def test_who_talks_most(text: str) -> None:
    assert asked(text) == (Wanted.MOST, Sought.MESSAGES, "", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("wann wurde raku zuletzt erwähnt?", Wanted.LAST),
        ("wann wurde raku zum ersten Mal erwähnt?", Wanted.FIRST),
        ("quand est-ce que raku a été mentionné pour la dernière fois ?", Wanted.LAST),
        ("¿cuándo se mencionó raku por última vez?", Wanted.LAST),
        ("¿cuándo se mencionó raku por primera vez?", Wanted.FIRST),
        ("quando è stato menzionato raku per l'ultima volta?", Wanted.LAST),
        ("wanneer werd raku voor het laatst genoemd?", Wanted.LAST),
        ("quando foi mencionado raku pela última vez?", Wanted.LAST),
    ],
)
def test_when_something_was_first_or_last_mentioned(text: str, wanted: Wanted) -> None:
    assert asked(text) == (wanted, Sought.MESSAGES, "raku", "")


@pytest.mark.parametrize(
    "text",
    [
        "wer hat das PDF geschickt?",
        "qui a envoyé le PDF ?",
        "¿quién envió el PDF?",
        "chi ha mandato il PDF?",
        "wie heeft de PDF gestuurd?",
        "quem enviou o PDF?",
    ],
)
def test_who_sent_a_file(text: str) -> None:
    assert asked(text) == (Wanted.LIST, Sought.PDFS, "", "")


@pytest.mark.parametrize(
    ("text", "sought", "terms", "by"),
    [
        ("wer hat den Link zum Tracker gepostet?", Sought.LINKS, "Tracker", ""),
        ("qui a partagé le lien vers le wiki ?", Sought.LINKS, "wiki", ""),
        ("zeig mir alle Bilder von Ana", Sought.PICTURES, "", "Ana"),
        ("montre-moi les images de Ana", Sought.PICTURES, "", "Ana"),
        ("welche Links hat Ana gepostet?", Sought.LINKS, "", "Ana"),
        ("quais links a Ana postou?", Sought.LINKS, "", "Ana"),
    ],
)
def test_links_and_files_are_listed(text: str, sought: Sought, terms: str, by: str) -> None:
    assert asked(text) == (Wanted.LIST, sought, terms, by)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("wie viele Nachrichten hat Ben letzte Woche geschrieben?", "last week"),
        ("welche Links hat Ana im März 2026 gepostet?", "in march 2026"),
        ("wie viele Nachrichten hat Ben am 3. März geschrieben?", "on 3 march"),
        ("wie oft wurde raku vor 3 Tagen erwähnt?", "3 days ago"),
        ("das PDF von letzter Woche", "last week"),
        ("combien de messages Ben a écrits la semaine dernière ?", "last week"),
        ("¿cuántos mensajes ha escrito Ben en marzo?", "in march"),
        ("¿cuántas veces se mencionó raku en los últimos 7 días?", "in the last 7 days"),
        ("quanti messaggi ha scritto Ben 3 giorni fa?", "3 days ago"),
        ("hoeveel berichten heeft Ben gisteren geschreven?", "yesterday"),
        ("quantas mensagens Ben escreveu na semana passada?", "last week"),
        ("wie viele Links wurden in #general gepostet?", "in #general"),
    ],
)
def test_times_and_channels_stand_at_the_end_of_the_english(text: str, time: str) -> None:
    english = in_english(text)

    assert english is not None
    assert english.endswith(f" {time}")


@pytest.mark.parametrize(
    "text",
    [
        "wer hat den Schlüssel?",
        "wer hat gesagt, dass die Glasur giftig ist?",
        "wann ist die Ausstellung?",
        "was hat Ben gesagt?",
        "wie viel kostet Kobalt?",
        "qui a la clé ?",
        "quand est la foire ?",
        "combien de grammes de sel ?",
        "¿quién tiene la llave?",
        "¿cuántos gramos de sal?",
        "chi ha la chiave?",
        "quanto costa il cobalto?",
        "wie is de baas?",
        "quando abre o mercado?",
        "who has the key?",
        "how many messages did Ben write?",
        "",
        "?",
    ],
)
def test_a_question_for_something_else_is_none_for_a_number(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_english(language: str) -> None:
    english = {meaning for meanings in table_of(language).values() for meaning in meanings}

    assert english >= {"how many", "how often", "who", "when", "which", "did", "was", "mentioned", "written", "most"}
    assert english >= {"messages", "links", "pictures", "PDF", "yesterday", "last week", "march", "monday", "days"}


@pytest.mark.parametrize("part", ["wie viele ", "wer hat ", "vor 3 tagen ", "in #a ", "la ", "3 ", "<@1> ", "más "])
def test_another_language_is_read_in_bounded_time(part: str) -> None:
    text = (f"wie oft hat {part * 2000}")[:2000]

    with in_time(len(text)):
        in_english(text)


# ---- the whole way


async def ask(text: str, **fields: Any) -> Answer:
    memory = FakeMemory(
        [
            said("raku on Sunday", author_name="Ben", sent_at=datetime(2026, 10, 28, 9, tzinfo=UTC)),
            said("raku again", author_name="Ben", sent_at=datetime(2026, 11, 3, 9, tzinfo=UTC)),
            said("soda", author_name="Ana", sent_at=datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ]
    )
    return await Agent((), memory=memory).ask(question(text, **fields))


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("wie viele Nachrichten hat Ben geschrieben?", "**2 messages** by Ben (all time"),
        ("wie viele Nachrichten hat Ben letzte Woche geschrieben?", "**1 message** by Ben (Mon 26 Oct"),
        ("wann wurde raku zuletzt erwähnt?", 'The last message that mentions "raku" (all time'),
        ("qui a parlé le plus ?", "**Ben** has most: 2 of 3 messages (all time"),
        ("¿cuántas veces se mencionó raku ayer?", '**1 message** mentions "raku" (Tue 3 Nov'),
    ],
)
async def test_a_question_in_another_language_is_counted(text: str, beginning: str) -> None:
    answer = await ask(text)

    assert answer.text.startswith(beginning)
    assert answer.outcome is Outcome.COUNTED


async def test_what_is_not_counted_is_searched_for_as_it_was_asked() -> None:
    memory = FakeMemory([said("die Glasur war grün", author_name="Ben")], tallied=Tally())

    await Agent((), memory=memory).ask(question("wer hat das PDF zur Glasur geschickt?"))

    assert [asked["text"] for asked in memory.asked if "text" in asked] == ["wer hat das PDF zur Glasur geschickt?"]
