"""Tell in which language a text is, and how it says no, as far as proof needs it."""

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType

from agent.proof.number_words import ENGLISH, FRENCH, GERMAN, SPANISH
from agent.proof.word_lists import listed
from memory.search.terms import stop_words
from memory.stop_words import FUNCTION_WORDS

OTHERS = ("italian", "portuguese", "dutch")
"""Languages that are told from the four, and in which nothing is checked but what looks alike everywhere."""

_UNTOLD = frozenset(listed("no a in an on me i o e de la as is die was do so per den"))
"""Words of several languages: they tell nothing."""


def language_of(words: Iterable[str]) -> str:
    """Return the language that most of some folded words are of, by its stop words; empty where none has any."""
    counts = dict.fromkeys((ENGLISH, GERMAN, FRENCH, SPANISH, *OTHERS), 0)
    telling = _languages_of_words()
    for word in words:
        for language in telling.get(word, ()):
            counts[language] += 1
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] else ""


@cache
def _languages_of_words() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language in (ENGLISH, GERMAN, FRENCH, SPANISH, *OTHERS):
        # The list of English words is four times as long as the others, and has their words in it.
        for word in FUNCTION_WORDS | {"will"} if language == ENGLISH else stop_words(language):
            if word not in _UNTOLD:
                found[word] = (*found.get(word, ()), language)
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(listed(text))


NEGATIONS = MappingProxyType(
    {
        ENGLISH: _words(
            "not no never none nobody nothing nowhere neither nor without cannot cant dont doesnt didnt isnt "
            "arent wasnt werent wont wouldnt shouldnt couldnt havent hasnt hadnt don't doesn't didn't isn't "
            "aren't wasn't weren't won't wouldn't shouldn't couldn't haven't hasn't hadn't can't mustn't "
            "needn't ain't hardly"
        ),
        GERMAN: _words(
            "nicht kein keine keinen keinem keiner keines nie niemals niemand niemanden nichts nirgends ohne weder nix"
        ),
        FRENCH: _words("ne n pas jamais aucun aucune sans rien personne nulle ni"),
        SPANISH: _words("no nunca jamas nadie nada ningun ninguno ninguna sin tampoco ni"),
        "italian": _words("non no mai nessuno nessuna niente nulla senza ne"),
        "portuguese": _words("nao nunca ninguem nada nenhum nenhuma sem nem"),
        "dutch": _words("niet geen nooit niemand niets zonder noch"),
    }
)
"""The words, folded, with which a language says no."""

ANY_NEGATION = frozenset().union(*NEGATIONS.values()) - {"ne", "n", "no", "ni", "personne"} | {
    "no",
    "nie",
    "inte",
    "ikke",
}
"""Words that say no in some language: what a message may say by them is left open."""

DENYING = _words(
    "fail failed fails failing failure refuse refused refuses deny denied denies decline declined declines "
    "cancel cancelled canceled cancels stop stopped stops avoid avoids avoided lack lacks lacked lacking "
    "missing miss missed unable impossible without except instead wrong false incorrect broken forget forgot "
    "forgotten doubt doubts doubted disagree disagreed disagrees reject rejected rejects forbid forbidden "
    "prevent prevented unless barely hardly rarely seldom unlikely excluded exclude skip skipped "
    "drop dropped remove removed unknown cant verboten abgelehnt abgesagt unmoglich falsch fehlt "
    "fehlen gescheitert verweigert annule refuse impossible manque interdit sauf cancelado rechazado imposible "
    "falta prohibido fallo"
)
"""Words that say no without a negation: where one of them is, a missing "not" may be right."""

ANTONYMS = MappingProxyType(
    {
        word: frozenset(opposites.split())
        for pair in (
            "enabled enable enables activated|disabled disable disables deactivated",
            "open opened opens|closed close closes shut",
            "allowed allow allows permitted|forbidden forbid forbids prohibited banned",
            "accepted accept accepts approved approve approves|rejected reject rejects declined refused",
            "increased increase increases rose rises raised|decreased decrease decreases fell falls lowered dropped",
            "before|after",
            "always|never",
            "cheap cheaper cheapest|expensive dear dearer",
            "won win wins|lost lose loses",
            "passed pass passes succeeded|failed fail fails",
            "more|less fewer",
            "larger bigger higher|smaller lower",
            "earlier|later",
            "first|last",
            "faster quicker|slower",
            "true|false",
            "public|private",
            "bought buy buys|sold sell sells",
            "started start starts began|stopped stop stops ended",
            "added add adds|removed remove removes deleted",
            "best|worst",
            "agree agrees agreed|disagree disagrees disagreed",
            "like likes liked love loves loved|hate hates hated dislike dislikes disliked",
            "works working worked|broken broke breaks",
            "minimum|maximum",
            "aktiviert eingeschaltet|deaktiviert ausgeschaltet",
            "offen geoffnet|geschlossen zu",
            "erlaubt|verboten",
            "vor|nach",
            "ouvert ouverte|ferme fermee",
            "abierto abierta|cerrado cerrada",
            "avant|apres",
            "antes|despues",
        )
        for side, opposites in (pair.split("|"), pair.split("|")[::-1])
        for word in side.split()
    }
)
"""Words that say the opposite of others."""
