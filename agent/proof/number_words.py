"""Numbers in words of English, German, French and Spanish, and the units that stand behind numbers."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from agent.proof.word_lists import listed
from time_expressions.folding import folded

LANGUAGES = ENGLISH, GERMAN, FRENCH, SPANISH = ("english", "german", "french", "spanish")

Phrase = tuple[str, ...]
"""The words of a number, folded: ("twenty", "five")."""

_EN_ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_EN_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_DE_ONES = listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn"
)
_DE_TENS = listed("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
_FR_ONES = listed(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_FR_TENS = listed("vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
_ES_ONES = listed(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)
_ES_TENS = listed("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_ES_HUNDREDS = listed("doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos")

_OTHERS = MappingProxyType(
    {
        ENGLISH: {
            "once": 1, "twice": 2, "thrice": 3, "couple": 2, "pair": 2, "both": 2, "dozen": 12, "first": 1, "second": 2,
            "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
            "single": 1, "double": 2, "triple": 3, "a": 1, "an": 1,
        },
        GERMAN: {
            "ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "zwo": 2, "beide": 2, "beiden": 2, "paar": 2,
            "dutzend": 12, "einmal": 1, "zweimal": 2, "dreimal": 3, "erste": 1, "ersten": 1, "zweite": 2, "zweiten": 2,
            "dritte": 3, "dritten": 3, "vierte": 4, "vierten": 4, "fünfte": 5, "fünften": 5, "doppelt": 2,
        },
        FRENCH: {
            "une": 1, "paire": 2, "douzaine": 12, "premier": 1, "première": 1, "deuxième": 2, "troisième": 3,
            "quatrième": 4, "cinquième": 5, "double": 2,
        },
        SPANISH: {
            "un": 1, "una": 1, "par": 2, "ambos": 2, "docena": 12, "primero": 1, "primera": 1, "segundo": 2,
            "segunda": 2, "tercero": 3, "tercera": 3, "cuarto": 4, "quinto": 5, "doble": 2,
        },
    }
)  # fmt: skip

NOT_CLAIMED = frozenset(
    listed(
        "zero one once couple pair both first second single double triple a an null eins ein eine einen einem "
        "einer beide beiden paar einmal erste ersten zweite zweiten doppelt zero un une neuf premier premiere "
        "paire double uno una par ambos once primero primera segundo segunda cero doble cuarto"
    )
)
"""Words that count in a message and claim no number in an answer: "one of them", "un", "a second time"."""

ARTICLES = frozenset(["a", "an", "ein", "eine", "einen", "einem", "einer", "un", "une", "una"])
"""Words that are a number before a scale or a unit of time alone: "a hundred", "an hour"."""

ORDINALS = frozenset(
    listed(
        "first second third fourth fifth sixth seventh eighth ninth tenth erste ersten zweite zweiten dritte "
        "dritten vierte vierten funfte funften premier premiere deuxieme troisieme quatrieme cinquieme primero "
        "primera segundo segunda tercero tercera cuarto quinto"
    )
)
"""Words, folded, for a place in an order."""

SCALES: Mapping[str, int] = MappingProxyType(
    {
        "hundred": 100, "thousand": 1000, "million": 10**6, "millions": 10**6, "hundert": 100, "tausend": 1000,
        "millionen": 10**6, "cent": 100, "cents": 100, "mille": 1000, "cien": 100, "ciento": 100, "cientos": 100,
        "mil": 1000, "millon": 10**6, "millones": 10**6, "k": 1000,
    }
)  # fmt: skip
"""Words that make a number before them larger."""

LONGEST_PHRASE = 4
"""Words of a number below a hundred; hyphens do not count."""


def _phrase(words: str) -> Phrase:
    return tuple(folded(words).replace("-", " ").split())


def _english() -> Iterator[tuple[str, int]]:
    yield from ((word, value) for value, word in enumerate(_EN_ONES))
    for tens, word in enumerate(_EN_TENS, start=2):
        yield word, 10 * tens
        yield from ((f"{word} {_EN_ONES[ones]}", 10 * tens + ones) for ones in range(1, 10))


def _german() -> Iterator[tuple[str, int]]:
    below = dict(enumerate(_DE_ONES))
    for tens, word in enumerate(_DE_TENS, start=2):
        below[10 * tens] = word
        for ones in range(1, 10):
            below[10 * tens + ones] = f"{_DE_ONES[ones].removesuffix('s') if ones == 1 else _DE_ONES[ones]}und{word}"
    yield from ((word, value) for value, word in below.items())
    for hundreds in range(1, 10):
        stem = f"{'ein' if hundreds == 1 else _DE_ONES[hundreds]}hundert"
        yield stem, 100 * hundreds
        yield from ((f"{stem}{word}", 100 * hundreds + value) for value, word in below.items() if value)


def _french() -> Iterator[tuple[str, int]]:
    yield from ((word, value) for value, word in enumerate(_FR_ONES))
    for tens, word in enumerate(_FR_TENS, start=2):
        first, last = (10, 20) if tens in (7, 9) else (1, 10)
        base = 10 * tens - (10 if tens in (7, 9) else 0)
        if tens not in (7, 9):
            yield word, base
        for ones in range(first, last):
            between = " et " if ones in (1, 11) and tens < 8 else " "
            yield f"{word}{between}{_FR_ONES[ones]}", base + ones
    yield "quatre-vingts", 80


def _spanish() -> Iterator[tuple[str, int]]:
    yield from ((word, value) for value, word in enumerate(_ES_ONES))
    for tens, word in enumerate(_ES_TENS, start=3):
        yield word, 10 * tens
        yield from ((f"{word} y {_ES_ONES[ones]}", 10 * tens + ones) for ones in range(1, 10))
    yield from ((word, 100 * value) for value, word in enumerate(_ES_HUNDREDS, start=2))


_MAKERS = MappingProxyType({ENGLISH: _english, GERMAN: _german, FRENCH: _french, SPANISH: _spanish})


@cache
def phrases(language: str) -> Mapping[Phrase, int]:
    """Return the numbers below a hundred of a language, and some more, by their words."""
    others = ((word, value) for word, value in _OTHERS[language].items())
    return MappingProxyType({_phrase(words): value for words, value in (*_MAKERS[language](), *others)})


@cache
def first_words(language: str) -> frozenset[str]:
    """Return the words with which the numbers of `phrases` begin."""
    return frozenset(phrase[0] for phrase in phrases(language))


Unit = tuple[str, float]
"""What is measured, and how much of its smallest unit this is: ("time", 60.0) for a minute."""


def _units() -> Iterator[tuple[str, Unit]]:
    for measure, factor, words in (
        ("time", 1, "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos"),
        ("time", 60, "min mins minute minutes minuten minuto minutos"),
        ("time", 3600, "h hr hrs hour hours stunde stunden std heure heures hora horas"),
        ("time", 86400, "d day days tag tage tagen jour jours dia dias"),
        ("time", 604800, "week weeks woche wochen semaine semaines semana semanas"),
        ("months", 1, "month months monat monate monaten mois mes meses"),
        ("months", 12, "year years jahr jahre jahren annee annees ano anos"),
        ("%", 1, "% percent prozent pourcent"),
        ("€", 1, "€ eur euro euros"),
        ("$", 1, "$ usd dollar dollars"),
        ("£", 1, "£ gbp pound pounds"),
        ("bytes", 1e3, "kb kilobyte kilobytes"),
        ("bytes", 1e6, "mb megabyte megabytes"),
        ("bytes", 1e9, "gb gigabyte gigabytes"),
        ("bytes", 1e12, "tb terabyte terabytes"),
        ("length", 1e-3, "mm millimetre millimetres millimeter millimeters"),
        ("length", 1e-2, "cm centimetre centimetres centimeter centimeters"),
        ("length", 1e3, "km kilometre kilometres kilometer kilometers"),
        ("length", 1, "metre metres meter meters"),
        ("weight", 1e-3, "gram grams gramm gramme grammes gramo gramos"),
        ("weight", 1, "kg kilo kilos kilogram kilograms"),
    ):
        yield from ((word, (measure, float(factor))) for word in words.split())


UNITS: Mapping[str, Unit] = MappingProxyType(dict(_units()))
