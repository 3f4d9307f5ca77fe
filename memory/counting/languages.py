"""Words of six languages with which people ask for numbers and lists, each by the English that stands for it.

A line is an English word or phrase and, behind a colon, what it stands for. Accents and case do not matter.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from time_expressions.folding import words_of

Phrase = tuple[str, ...]

_GERMAN = """
how many: wie viele, wieviele, wie viel, anzahl der, die anzahl der, anzahl, anzahl an, zähle, zähle die
how often: wie oft, wie häufig
who: wer, wer war es der
when: wann
which: welche, welcher, welches, welchen
show me: zeig mir, zeige mir, zeig, zeige, liste, liste mir, finde, such, suche
where is: wo ist, wo sind, wo war, wo finde ich
did: hat, haben, habe, hatte, hast, habt
was: wurde, wurden, worden, ist, sind, war, waren, wird
are there: gibt es, gab es
mentioned: erwähnt, genannt, erwähnte, erwähnen, gesprochen über, geredet über
written: geschrieben, schrieb, schreibt, verfasst, schreiben
posted: gepostet, postete, postet, veröffentlicht, eingestellt
sent: geschickt, gesendet, schickte, verschickt, gesandt
shared: geteilt, teilte, verlinkt
uploaded: hochgeladen, angehängt
talked: geredet, gesprochen, redet, spricht, redete, gequatscht
most: am meisten, am häufigsten, die meisten, am öftesten
active: aktiv
most active: am aktivsten, aktivste, der aktivste, die aktivste
first: zuerst, zum ersten mal, das erste mal, als erster, als erste, als erstes, erstmals, erste, ersten
last: zuletzt, zum letzten mal, das letzte mal, als letzter, als letzte, letztmals
messages: nachrichten, nachricht, beiträge, beitrag, posts, mitteilungen
links: links, link, adressen
pictures: bilder, bild, fotos, foto, screenshots, screenshot
videos: videos, video
files: dateien, datei, anhänge, anhang
PDF: pdf
PDFs: pdfs, pdf dateien
polls: umfragen, umfrage
people: leute, personen, mitglieder, menschen
the: der, die, das, den, dem, des, alle, allen, ein, eine, einen, einem, einer, dieser, diese, dieses, diesen
to: zum, zur, zu
about: über, von dem, wegen
from: von, vom, durch
with: mit
and: und
or: oder
in: in, im, aus
I: ich
we: wir, man
anyone: jemand, irgendjemand
: bitte, denn, eigentlich, schon, bisher, insgesamt, es, hier, mal, wort, wörter, bis jetzt, noch
yesterday: gestern
today: heute
the day before yesterday: vorgestern
last week: letzte woche, letzter woche, vergangene woche, vergangener woche, in der letzten woche
this week: diese woche, dieser woche, in dieser woche
last month: letzten monat, letztem monat, im letzten monat, vergangenen monat
this month: diesen monat, diesem monat, in diesem monat
last year: letztes jahr, letztem jahr, im letzten jahr
this year: dieses jahr, diesem jahr, in diesem jahr
on: am
since: seit
ago: vor
last: in den letzten
days: tagen, tage, tag
weeks: wochen
months: monaten, monate
hours: stunden
january: januar, jänner
february: februar
march: märz
april: april
may: mai
june: juni
july: juli
august: august
september: september
october: oktober
november: november
december: dezember
monday: montag
tuesday: dienstag
wednesday: mittwoch
thursday: donnerstag
friday: freitag
saturday: samstag, sonnabend
sunday: sonntag
"""

_FRENCH = """
how many: combien de, combien d, le nombre de, nombre de, combien y a t il de
how often: combien de fois, à quelle fréquence
who: qui, qui est ce qui
when: quand, quand est ce que
which: quels, quelles, quel, quelle
show me: montre moi, montre, liste, affiche, trouve, donne moi, cherche
where is: où est, où sont
did: a, ont, ai, as, avons, avez, avait, a t il, a t elle, a t on, ont ils, ont elles
was: a été, ont été, est, sont, fut, était, a t il été, a t elle été, a t on, on a
are there: y a t il, il y a
mentioned: mentionné, mentionnée, mentionnés, cité, évoqué, parlé de, parle de, évoquée, mentionne
written: écrit, écrits, écrite, écrites, rédigé
posted: posté, postés, postée, postées, publié, publiés, publiée, publiées, mis
sent: envoyé, envoyés, envoyée, envoyées
shared: partagé, partagés, partagée, partagées
uploaded: téléversé, téléversés
talked: parlé, parle, discuté
most: le plus, le plus souvent, le plus de
active: actif, active, actifs
first: pour la première fois, la première fois, en premier, le premier, la première, premier, première
last: pour la dernière fois, la dernière fois, en dernier, dernièrement
messages: messages, message, posts
links: liens, lien
pictures: images, image, photos, photo, captures, capture d'écran
videos: vidéos, vidéo
files: fichiers, fichier, pièces jointes, pièce jointe
PDF: pdf
PDFs: pdfs
polls: sondages, sondage
people: personnes, gens, membres
the: le, la, les, l, un, une, des, ce, cette, ces, cet, tous les, toutes les, tous, toutes
to: vers, au, aux, à
about: sur, à propos de, au sujet de, concernant
from: de, du, par, d, venant de
with: avec, contenant
and: et
or: ou
in: dans, en
I: je, j
we: nous, on
anyone: quelqu'un
: s'il te plaît, s'il vous plaît, ici, au total, en tout, jusqu'ici, que, qu, le mot, mot, t, il, elle
yesterday: hier
today: aujourd'hui
the day before yesterday: avant hier
last week: la semaine dernière, semaine dernière, de la semaine dernière, la semaine passée
this week: cette semaine, de cette semaine
last month: le mois dernier, mois dernier, du mois dernier
this month: ce mois, ce mois ci
last year: l'année dernière, l'an dernier
this year: cette année
on: le
since: depuis
ago: il y a
days: jours, jour
weeks: semaines
months: mois
hours: heures
january: janvier
february: février
march: mars
april: avril
may: mai
june: juin
july: juillet
august: août
september: septembre
october: octobre
november: novembre
december: décembre
monday: lundi
tuesday: mardi
wednesday: mercredi
thursday: jeudi
friday: vendredi
saturday: samedi
sunday: dimanche
"""

_SPANISH = """
how many: cuántos, cuántas, cuánto, número de, el número de, cantidad de, cuántos hay de
how often: cuántas veces, con qué frecuencia
who: quién, quiénes, quién fue el que
when: cuándo
which: qué, cuáles, cuál
show me: muéstrame, muestra, lista, enseña, enséñame, busca, encuentra, dame
where is: dónde está, dónde están
did: ha, han, he, has, hemos, había
was: se, fue, fueron, ha sido, han sido, se ha, se han, es, son
are there: hay, había
mentioned: mencionó, mencionado, mencionada, mencionados, nombró, nombrado, habló de, hablado de, mencionaron, habla de
written: escribió, escrito, escritos, escrita, escribieron, escribe
posted: publicó, publicado, publicados, publicaron, posteó, posteado
sent: envió, enviado, enviados, mandó, mandado, enviaron, mandaron, pasó
shared: compartió, compartido, compartidos, compartieron
uploaded: subió, subido, subidos, adjuntó
talked: habló, hablado, habla, hablaron
most: más, más veces, la mayoría de
active: activo, activa, activos
first: por primera vez, la primera vez, primero, el primero en, primera
last: por última vez, la última vez, últimamente, último, última
messages: mensajes, mensaje, posts
links: enlaces, enlace, links, link
pictures: imágenes, imagen, fotos, foto, capturas, captura
videos: vídeos, vídeo, videos, video
files: archivos, archivo, ficheros, fichero, adjuntos
PDF: pdf
PDFs: pdfs
polls: encuestas, encuesta
people: personas, gente, miembros
the: el, la, los, las, un, una, unos, unas, ese, esa, esos, este, todos los, todas las, todos
to: al, a
about: sobre, acerca de
from: de, del, por, desde
with: con, que contienen
and: y, e
or: o
in: en, dentro de
I: yo
we: nosotros
anyone: alguien
: por favor, aquí, en total, hasta ahora, que, la palabra, palabra
yesterday: ayer
today: hoy
the day before yesterday: anteayer
last week: la semana pasada, semana pasada, de la semana pasada
this week: esta semana, de esta semana
last month: el mes pasado, mes pasado, del mes pasado
this month: este mes
last year: el año pasado
this year: este año
on: el
since: desde
ago: hace
last: en los últimos, en las últimas
days: días, día
weeks: semanas
months: meses
hours: horas
january: enero
february: febrero
march: marzo
april: abril
may: mayo
june: junio
july: julio
august: agosto
september: septiembre
october: octubre
november: noviembre
december: diciembre
monday: lunes
tuesday: martes
wednesday: miércoles
thursday: jueves
friday: viernes
saturday: sábado
sunday: domingo
"""

_ITALIAN = """
how many: quanti, quante, il numero di, numero di
how often: quante volte, con quale frequenza
who: chi, chi è stato a, chi è che
when: quando
which: quali, quale, che
show me: mostrami, mostra, elenca, trova, cerca, dammi
where is: dov'è, dove sono
did: ha, hanno, ho, hai, abbiamo, aveva
was: è stato, è stata, sono stati, sono state, è, sono, si è, fu, viene, si
are there: ci sono, c'è
mentioned: menzionato, menzionata, menzionò, citato, citata, nominato, nominata, parlato di, parla di, menzionati
written: scritto, scritti, scritte, scrisse, scrive
posted: postato, postati, postate, pubblicato, pubblicati, pubblicate
sent: mandato, mandati, mandate, inviato, inviati, inviate, spedito
shared: condiviso, condivisi, condivise
uploaded: caricato, caricati, caricate, allegato
talked: parlato, parla, parlò
talked most: parlato di più, parla di più
most: di più, più spesso, il più, più
active: attivo, attiva, attivi
first: per la prima volta, la prima volta, per primo, per prima, primo
last: per l'ultima volta, l'ultima volta, per ultimo, ultimamente
messages: messaggi, messaggio, post
links: link, links, collegamenti, collegamento
pictures: immagini, immagine, foto, fotografie, screenshot
videos: video
files: file, allegati
PDF: pdf
PDFs: pdf files
polls: sondaggi, sondaggio
people: persone, membri
the: il, lo, la, i, gli, le, l, un, uno, una, quel, quella, tutti i, tutte le, tutti, tutte
to: al, alla, a, per
about: su, riguardo a, sul, sulla
from: di, del, della, da, dal, dalla
with: con, che contengono
and: e, ed
or: o
in: in, nel, nella
I: io
we: noi
anyone: qualcuno
: per favore, qui, in totale, finora, la parola, parola
yesterday: ieri, di ieri
today: oggi, di oggi
the day before yesterday: l'altro ieri
last week: la settimana scorsa, la scorsa settimana, settimana scorsa, della settimana scorsa, della scorsa settimana
this week: questa settimana, di questa settimana
last month: il mese scorso, lo scorso mese, del mese scorso
this month: questo mese
last year: l'anno scorso, lo scorso anno
this year: quest'anno
since: da
ago: fa
last: negli ultimi, nelle ultime
days: giorni, giorno
weeks: settimane
months: mesi
hours: ore
january: gennaio
february: febbraio
march: marzo
april: aprile
may: maggio
june: giugno
july: luglio
august: agosto
september: settembre
october: ottobre
november: novembre
december: dicembre
monday: lunedì
tuesday: martedì
wednesday: mercoledì
thursday: giovedì
friday: venerdì
saturday: sabato
sunday: domenica
"""

_DUTCH = """
how many: hoeveel, het aantal, aantal, tel, tel de
how often: hoe vaak, hoeveel keer
who: wie, wie was het die
when: wanneer
which: welke, welk
show me: toon, laat zien, laat me zien, geef, geef me, zoek, vind, lijst
where is: waar is, waar zijn, waar staat
did: heeft, hebben, heb, had, hebt
was: werd, werden, is, zijn, was, waren, wordt
are there: zijn er, waren er
mentioned: genoemd, vermeld, noemde, gepraat over, gesproken over
written: geschreven, schreef, schrijft
posted: gepost, geplaatst, postte, plaatste
sent: gestuurd, verstuurd, verzonden, stuurde
shared: gedeeld, deelde
uploaded: geüpload, bijgevoegd
talked: gepraat, praat, gesproken, praatte
most: het meest, het vaakst, de meeste, meest
active: actief, actiefst
first: voor het eerst, de eerste keer, als eerste, eerst
last: voor het laatst, de laatste keer, als laatste, laatst
messages: berichten, bericht, posts
links: links, link
pictures: afbeeldingen, afbeelding, foto's, foto, plaatjes, plaatje, screenshots
videos: video's, video, filmpjes
files: bestanden, bestand, bijlagen, bijlage
PDF: pdf
PDFs: pdf's, pdfs
polls: peilingen, peiling, polls
people: mensen, personen, leden
the: de, het, een, die, dat, alle, deze, dit
to: naar
about: over
from: van, door
with: met
and: en
or: of
in: in, uit
I: ik
we: wij, we, men
anyone: iemand
: alsjeblieft, er, hier, in totaal, tot nu toe, ooit, het woord, woord, al
yesterday: gisteren
today: vandaag
the day before yesterday: eergisteren
last week: vorige week, afgelopen week
this week: deze week
last month: vorige maand, afgelopen maand
this month: deze maand
last year: vorig jaar, afgelopen jaar
this year: dit jaar
on: op
since: sinds
ago: geleden
last: in de afgelopen, in de laatste, de afgelopen
days: dagen, dag
weeks: weken
months: maanden
hours: uur, uren
january: januari
february: februari
march: maart
april: april
may: mei
june: juni
july: juli
august: augustus
september: september
october: oktober
november: november
december: december
monday: maandag
tuesday: dinsdag
wednesday: woensdag
thursday: donderdag
friday: vrijdag
saturday: zaterdag
sunday: zondag
"""

_PORTUGUESE = """
how many: quantos, quantas, o número de, número de
how often: quantas vezes, com que frequência
who: quem, quem foi que
when: quando, quando é que
which: quais, qual, que
show me: mostra, mostre, mostra me, lista, liste, encontra, procura
where is: onde está, onde estão
did: tem, têm, tinha, tenho
was: foi, foram, é, são, se
are there: há, existem, houve
mentioned: mencionou, mencionado, mencionada, mencionados, citou, citado, citada, falou de, falou sobre, mencionaram
written: escreveu, escrito, escritas, escritos, escreveram, escreve
posted: postou, postado, postados, publicou, publicado, publicados, postada
sent: enviou, enviado, enviados, mandou, mandado, enviaram, mandaram
shared: partilhou, compartilhou, partilhado, compartilhado
uploaded: carregou, anexou
talked: falou, fala, falaram, conversou
most: mais, mais vezes
active: ativo, ativa, ativos
first: pela primeira vez, a primeira vez, primeiro
last: pela última vez, a última vez, por último, ultimamente
messages: mensagens, mensagem, posts
links: links, link, ligações, ligação
pictures: imagens, imagem, fotos, foto, fotografias, capturas
videos: vídeos, vídeo
files: arquivos, arquivo, ficheiros, ficheiro, anexos, anexo
PDF: pdf
PDFs: pdfs
polls: enquetes, enquete, sondagens
people: pessoas, membros
the: o, a, os, as, um, uma, esse, essa, aquele, aquela, todos os, todas as, todos, todas
to: para, ao, à
about: sobre, acerca de
from: de, do, da, dos, das, por, pelo, pela
with: com, que contêm
and: e
or: ou
in: em, no, na
I: eu
we: nós, a gente
anyone: alguém
: por favor, aqui, no total, até agora, a palavra, palavra, que
yesterday: ontem, de ontem
today: hoje, de hoje
the day before yesterday: anteontem
last week: semana passada, na semana passada, a semana passada, da semana passada
this week: esta semana, nesta semana, essa semana
last month: mês passado, no mês passado, do mês passado
this month: este mês, neste mês, esse mês
last year: ano passado, no ano passado
this year: este ano
since: desde
ago: há, atrás
last: nos últimos, nas últimas
days: dias, dia
weeks: semanas
months: meses
hours: horas
january: janeiro
february: fevereiro
march: março
april: abril
may: maio
june: junho
july: julho
august: agosto
september: setembro
october: outubro
november: novembro
december: dezembro
monday: segunda feira, segunda
tuesday: terça feira, terça
wednesday: quarta feira, quarta
thursday: quinta feira, quinta
friday: sexta feira, sexta
saturday: sábado
sunday: domingo
"""

_LISTED = MappingProxyType(
    {
        "german": _GERMAN,
        "french": _FRENCH,
        "spanish": _SPANISH,
        "italian": _ITALIAN,
        "dutch": _DUTCH,
        "portuguese": _PORTUGUESE,
    }
)

LANGUAGES = tuple(_LISTED)


@cache
def table_of(language: str) -> Mapping[Phrase, tuple[str, ...]]:
    """Return the phrases of a language, folded, each with all the English that it may stand for."""
    found: dict[Phrase, tuple[str, ...]] = {}
    for line in _LISTED[language].strip().splitlines():
        english, _, foreign = line.partition(":")
        for phrase in foreign.split(","):
            words = tuple(words_of(phrase))
            found[words] = (*found.get(words, ()), english.strip())
    return MappingProxyType(found)


@cache
def longest_of(language: str) -> int:
    """Return of how many words the longest phrase of a language is."""
    return max(map(len, table_of(language)))
