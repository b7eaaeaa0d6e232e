"""Tell whether a text asks for no more SMS, as people write it on a phone.

There are two answers: `STOP`, if nobody would read it otherwise, and `DOUBT`, if a user
has to decide. The keywords are those of an account's list; what else people write in
its languages is below.
"""

import re
import unicodedata
from functools import lru_cache

from odoo.tools import remove_accents

STOP = "stop"
DOUBT = "doubt"
_HINT = "hint"  # doubt, if not much else is said

WORD_REGEX = re.compile(r"\w+")
# Words in a row that count as a quote of the SMS that was sent: all words of a shorter
# one, if it has enough.
QUOTED_WORDS = 8
MIN_QUOTED_WORDS = 5
# The clause that OVHcloud appended to that SMS.
_QUOTED_CLAUSE = re.compile(r"\W{0,5}stop\W{0,3}36\d{3}\b", re.IGNORECASE)
# Words of a short reply. Longer ones are about something else, too.
SHORT_WORDS = 20
# Words of a sentence that ends with the keyword: "ici Zoé, on arrête, stop".
ENDING_WORDS = 8

# Letters with a stroke, from which Unicode can strip no accent, and letters of other
# alphabets that look like Latin ones.
_STROKES = str.maketrans("łøđѕтораесτορα", "lodstopaectopa")
# Words without their apostrophe: "nenvoyez", "menvoyer", "darreter"; or without the e.
_NO_APOSTROPHE = re.compile(
    r"([nmdjlst]|qu)(?=(?:envo[iy]|ecri[rv]|arret|importun|inscri)[a-z])"
    r"|(j)(?=(?:veux?|voudrai|souhait|aimerai)[a-z]*$)"
)
# "arettez", "arrettez"; not "arête", which fish have.
_DOUBLED = re.compile(r"a(?:r{2,}et+|ret{2,}|ret(?=e[rz]$))(e[rsz]?)$")
# Words as they sound, and abbreviations.
_SPELLINGS = {
    "veu": "veux",
    "voudrai": "voudrais",
    "aimerai": "aimerais",
    "souhaiterai": "souhaiterais",
    "recevoire": "recevoir",
    "num": "numero",
    "nr": "numero",
}
_SPELLED = re.compile(r"(?<!\w)\w(?:[\W_]{1,2}\w){2,}(?!\w)")
_CLAUSES = re.compile(r"[.,;:!?…\n\r()¡¿]+")
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_OUTER_DIGITS = re.compile(r"^\d+|\d+$")
_STOP_SIGNS = "🛑⛔🚫✋"
# The number in OVHcloud's clause, sent alone: "STOP 36111".
_CLAUSE_NUMBER = re.compile(r"36\d{3}")

# Words that say nothing of their own beside the keyword.
_FILLERS = frozenset(
    """
    a ah au aux avec avance beaucoup bcp bien bjr bonjour bonsoir bsr ce ces cet cette ceci
    cela ca contact contacter contactez cordialement coucou d dans de des desormais desole
    definitivement donc du ecrire ecrivez en encore envoi envois envoie envoyer envoyez et
    abonnement faut fin hey il immediat immediate immediatement info infos j je l la le les
    liste listing m ma madame
    maintenant me merci mes message messages messieurs mms mme mlle mr mon monsieur moi msg
    newsletter nous numero ok or ou oui par plait pour promo promos promotions prospection
    pub pubs publicite publicites publicitaire que reponds repond salut se sms s sil
    souhaite spam suite stp sur svp te tel telephone texto textos tout toute toutes tous
    urgent veuillez veux voeux voila vos votre voudrais vous y allo aimerais demande dis
    all and any ads from good hello hi i it list marketing me messages morning my now number
    of off please pls plz receiving send sending text texting texts thank thanks the these
    this to us want you your messaging
    buenas buenos dias favor gracias hola los las mensajes por publicidad quiero recibir
    buongiorno ciao grazie messaggi per prego pubblicita ricevere salve vostri i
    an alle bitte danke der die diese guten hallo herr ich mich mir moechte mochte
    nachrichten sie sms sofort tag von werbung zu das
    aan alle aub alstublieft bedankt berichten deze graag goedendag het ik jullie mij mijn
    nummer reclame sturen van
    dzien dobry dziekuje na prosze sie wiadomosci z mnie
    """.split()
)

# Words that are written together with the keyword, without a space.
_GLUED = frozenset(
    "sms pub pubs svp stp merci texto textos message messages mms spam info infos promo"
    " promos please now all urgent ok bonjour tout envoi contact marketing bitte".split()
)

# Phrases in which the keyword does not opt out.
_BENIGN = re.compile(
    r"""\b(?:
    (?:en|par)\ stop
    | (?:non|bus|auto|pit|full|one|next|last|truck|tram|metro|panneau|feu|door|whistle)\ stop
    | (?:le|un|au|du|ce|mon|notre|the|a|an|el|al|il|der|beim|am|het|een)\ stop
    | stop\ (?:over|motion|loss|go|gap|by|watch|et\ go|and\ go|and\ shop|light)
    | (?:a\ l|l|d|un|cet|mon|en|votre|son|d\ un|prochain|dernier)\ arret
    | arret\ (?:de|du|des|d)\ (?:bus|car|tram\w*|metro|autobus|travail|jeu|train|urgence
        |cars|production|navette)
    | arret\ (?:maladie|cardiaque|bus|tram\w*|metro|navette)
    | (?:ai|as|a|avons|avez|ont|suis|es|est|sommes|sont|ete)\ (?:\w+\ )?arretee?s?
    | (?:m|t|s|se|me|te|nous)\ (?:suis\ |est\ |es\ |sommes\ |etes\ |etais\ )?arret\w+
    | arret\w+\ (?:vous|toi|nous)\ (?:au|a|chez|en|quand|ou|par|sur|dans)
    | (?:estoy|esta|esto|estaba|estan)\ de\ baja | (?:planta|temporada|voz)\ baja
    | baja\ (?:el|la|los|las|por\ enfermedad|de\ precio|temporada|laboral|medica)
    )\b""",
    re.VERBOSE,
)

_ADVERT = (
    r"(?:sms|messages?|msg|mms|textos?|pubs?|publicites?|promos?|promotions?|newsletters?"
    r"|spams?|mails?|offres?|prospection|demarchage|sollicitations?)"
)
_REMOVE = (
    r"(?:retire\w*|enleve\w*|supprime\w*|efface\w*|radie\w*|raye\w*|sort\w*|oubli\w+"
    r"|ote[rz]?|vir(?:er?|ez))"
)
_REGISTER = (
    r"(?:list\w*\b(?!\ d\ attente)|fichiers?|bases?|contacts?|envois?|diffusions?"
    r"|mailings?|repertoires?|newsletters?|sms|pubs?|publicites?|promos?|donnees"
    r"|abonne\w*|numeros|registres?|campagnes?|programmes?)"
)
# "Je veux plus de vos SMS", not "je veux plus d'infos sur vos SMS".
_OF_YOURS = rf"(?:vos?|votre|ces?|cet|cette|tels?|telles?|tous|toutes|tout|{_ADVERT})"
_NOT_MORE = rf"(?!(?:de|d)\ (?!{_OF_YOURS}\b))"
_NOT_EN = r"(?<!don\ t\ )(?<!dont\ )(?<!not\ )(?<!never\ )(?<!didn\ t\ )"
_VERB = (
    r"(?:envo\w+|ecri\w+|contact\w+|sollicit\w+|derang\w+|spamm?\w*|relanc\w+|texto\w*"
    r"|harcel\w+|importun\w+|appel\w+|demarch\w+)"
)
# Sentences that can mean nothing else, whatever the account's words are.
_CLEAR = re.compile(
    rf"""\b(?:
    (?:veux|veut|voulons|voulez|souhaite|souhaitons|desire|voudrais|souhaiterais|aimerais)
        \ plus\ {_NOT_MORE}(?:\w+\ ){{0,5}}?
        (?:{_ADVERT}|etre\ {_VERB}|rien\ recevoir|en\ recevoir)
    | (?:veux|veut|voulons|souhaite|souhaitons|desire|voudrais|souhaiterais|aimerais)
        \ pas\ (?:de\ vos|recevoir\ (?:de|vos|ces|ce|des)|etre\ {_VERB})
        (?:\ \w+){{0,4}}?(?:\ {_ADVERT})?
    | (?:veux|souhaite|desire|voudrais)\ plus\ recevoir\ (?:de|d|vos|ces|rien|aucun\w*|ca)
    | (?:ne|n)\ (?:m|me|nous)\ {_VERB}\ plus | (?:ne|n)\ plus\ (?:m|me|nous)\ {_VERB}
    | (?:ne|n)\ envoye\w*\ plus\ (?:rien|(?:de|d|vos|aucun\w*|ces)\ (?:\w+\ )?{_ADVERT})
    | en\ (?:veux|veut|voulons)\ plus\ (?:de|du)\ (?:\w+\ )?{_ADVERT}
    | (?:ne|n)\ plus\ (?:recevoir|{_VERB}) | (?:m|me|nous)\ {_VERB}\ plus\ (?:rien|de|d)
    | (?<!ne\ )(?<!pas\ )(?:me|nous)\ {_REMOVE}\ des?\ (?:\w+\ ){{0,3}}?{_REGISTER}
    | {_REMOVE}\ (?:(?:moi|nous)\ des?\ (?:\w+\ ){{0,3}}?{_REGISTER}
        |mon\ (?:numero|nom|contact|tel\w*)|mes\ (?:donnees|coordonnees))
    | (?:cesse\w*)\ (?:de\ (?:m|me|nous)|vos|ces|les|d\ {_VERB}|tout)
    | (?:do\ not|don\ t|dont|never)\ (?:ever\ )?(?:text|message|sms|contact|write|spam|send)
        (?:\ \w+){{0,3}}?\ (?:me|us|again|anymore|any\ more|texts?|messages?|sms)
    | (?:do\ not|don\ t|dont|never)\ (?:text|message|contact|spam)(?:\ (?:please|pls))?$
    | {_NOT_EN}opt\ (?:me|us)\ out
    | no\ more\ (?:sms|texts?|messages?|ads|spam|marketing|promo\w*)
    | {_NOT_EN}(?:remove|delete|erase|unlist)\ (?:me|us|my\ (?:number|phone|details))
    | {_NOT_EN}take\ (?:me|us|my\ number)\ off
    | no\ (?:longer|more)\ (?:\w+\ )?(?:want|wish)
    | no\ (?:me|nos)\ (?:envi\w+|mand\w+|escrib\w+|contact\w+|molest\w+)(?:\ \w+){{0,2}}\ mas
    | no\ (?:quiero|queremos|deseo|deseamos)\ (?:recibir\ )?(?:mas\ )?(?:sus\ )?
        (?:sms|mensajes|publicidad|promociones|ofertas)
    | no\ quiero\ (?:\w+\ )?mas | no\ mas\ (?:sms|mensajes|publicidad|envios)
    | no\ (?:envi\w+|mand\w+)(?:\ \w+){{0,2}}\ mas(?:\ (?:sms|mensajes|publicidad))?$
    | de[jx]\w+\ de\ (?:enviar\w*|mandar\w*|escribir\w*|molestar\w*)
    | (?<!no\ )(?:borr|elimin|quit)\w+\ (?:mi\ numero|mis\ datos|me\ de)
    | (?<!no\ )(?:borr|elimin|quit|sac)\w+(?:me|nos)\ de\ (?:\w+\ )?
        (?:list\w*|bases?|contactos|envios|agenda)
    | (?<!no\ )(?:dar\w*|dame|denme|deme|doy)\ de\ baja
    | non\ (?:inviat\w+|inviar\w+|mandat\w+|mandar\w+|scriv\w+|contatt\w+)(?:\ \w+){{0,3}}\ piu
    | non\ (?:mi|ci)\ (?:inviat|inviar|mandat|mandar|scriv|contatt)\w+(?:\ \w+){{0,2}}\ piu
    | non\ (?:voglio|vogliamo|desidero|desideriamo)\ (?:piu|ricevere\ (?:\w+\ ){{0,2}}?
        (?:sms|messagg\w+|pubblicita|promozioni|comunicazioni|offerte|nulla|niente))
    | smett\w+\ di
    | (?<!non\ )(?:cancell|rimuov|elimin|togli)\w*\ (?:il\ mio|i\ miei)
    | (?<!non\ )(?:cancella|rimuove|toglie|elimina)(?:te)?(?:mi|ci)\ d\w+
    | keine\ (?:\w+\ )?(?:sms|nachrichten?|werbung|werbe\w+|mitteilungen)(?:\ \w+)?\ mehr
    | keine\ (?:werbung|weiteren?\ (?:sms|nachrichten?|mitteilungen|werbe\w+))
    | nicht\ mehr\ (?:schreiben|senden|schicken|kontaktieren|anschreiben)
    | (?:schreib|send|schick|kontaktier)\w*\ (?:sie\ )?(?:mir|mich|uns)\ (?:\w+\ )?
        (?:nicht|nichts|keine)\ (?:\w+\ )?mehr
    | (?:losch|entfern|streich)\w+\ (?:sie\ )?(?:mich|meine)
        (?!(?:\ \w+){{0,4}}\ nicht\b)
    | (?<!nicht\ )(?:aus\ (?:dem|ihrem|eurem)\ \w*verteiler
        |(?:mich|uns)\ (?:bitte\ )?aus\ (?:der|ihrer|eurer)\ \w*liste)
        (?!(?:\ \w+){{0,2}}\ nicht\b)
    | horen\ sie\ auf | hort?\ auf\ (?:mir|mit)
    | geen\ (?:\w+\ )?(?:sms\w*|berichten|reclame|berichtjes)(?:\ \w+)?\ meer
    | niet\ meer\ (?:sturen|contacteren|smsen|schrijven|versturen|benaderen)
    | (?:schrijf|meld|haal)\ (?:me|mij|mijn\ nummer)\ (?!niet)(?:\w+\ )?(?:uit|af|van)
    | verwijder\ (?:me|mij|mijn\ (?:nummer|gegevens))\b(?!(?:\ \w+){{0,3}}\ niet\b)
    | (?<!niet\ )(?:me|mij|mijn\ nummer)\ te\ verwijderen
    | stuur\ (?:me|mij|ons)\ (?:niets|niks|geen\ \w+)\ meer
    | nie\ (?:chce|zycze\ sobie)(?:\ \w+){{0,4}}?\ (?:sms\w*|wiadomosci|reklam\w*|otrzymyw\w+)
    | nie\ (?:wysyl\w+|przysyl\w+|pisz\w*\ do|pisac\ do|kontaktow\w+)
    | (?<!nie\ )usun\w*\ (?:moj|mnie|numer) | przestan\w*\ (?:wysyl|pisac|przysyl)\w*
    )""",
    re.VERBOSE,
)
# As clear if a sentence begins with it: "plus de pub", not "il y a plus de pub".
_CLEAR_START = re.compile(
    rf"(?:(?:svp|stp|merci|alors|bonjour) )*(?:plus(?: jamais)?|aucun\w*|jamais)"
    rf" (?:de |d )?(?:vos )?{_ADVERT}\b"
)
# Words that mean nothing else, if the account's list has them or similar ones.
_STRONG = re.compile(
    r"\b(?:desabon\w*|desabo|desinscri\w*|unsub\w*|opt ?out|optout|disiscri\w*|abmeld\w*"
    r"|abbestell\w*|afmeld\w*|uitschrijv\w*|uitgeschreven|wypis\w*|rezygn\w*"
    r"|desuscri\w*|cancella(?:te)?mi|cancellarmi|rimuove(?:te)?mi|des?incri\w*"
    r"|des{1,2}abb?on\w*|unsus?cri?b\w*|desincrip\w*)\b"
)
_DOUBTFUL = re.compile(
    rf"""\b(?:
    (?:laiss|fich|fout)\w*\ (?:moi|nous)\ (?:tranquilles?|la\ paix|en\ paix)
    | lach\w+\ (?:moi|nous)
    | {_REMOVE}\ (?:moi|nous)(?:\ (?:svp|stp|merci|s\ il.*))?$
    | (?:de|d)\ (?:me|nous)\ {_REMOVE}$ | droit\ d\ opposition
    | numero\ a\ {_REMOVE}
    | refus\w+\ (?:\w+\ ){{0,3}}?{_ADVERT}
    | oppos\w+\ (?:\w+\ ){{0,5}}?(?:{_ADVERT}|donnees|numero)
    | (?:ne|n)\ (?:m|me|nous)\ (?:derang|sollicit|importun|spamm|demarch|relanc)\w+\ pas
    | no\ (?:me\ |nos\ )?molest\w+ | lascia\w*\ in\ pace | hort?\ (?:endlich\ )?auf
    | para\ ya | (?<!no\ )paren | fermat\w+ | (?:lassen\ sie|lass)\ das
    | ca\ suffit | (?:y\ en\ a|j\ en\ ai|en\ ai)\ (?:assez|marre) | marre\ de | ras\ le\ bol
    | harcel\w+ | spamm?\w* | cnil | rgpd | gdpr | dsgvo | avg | bloctel | plainte
    | (?:pas|aucune?)\ (?:de\ |d\ )?{_ADVERT} | halte | stopp?\w{{0,3}} | arrete[rsz]?
    | lose\ my\ number | no\ (?:sms|texts?|messages?|ads)\ (?:please|pls) | no\ mas$
    | nie\ pisac | leave\ me\ alone | enough | reported | harass\w*
    | basta\w* | ya\ esta\ bien | deje\w+me | ferm(?:ati|atevi|are)
    | lass\w*\ (?:sie\ )?mich\ in\ ruhe | reicht(?:\ es)? | genug | belastig\w+
    | laat\ (?:me|mij)\ met\ rust | genoeg | hou\ op | ophouden
    | da[jc]\w*\ (?:mi\ )?(?:swiety\ )?spokoj | dosc | koniec | przestan\w*
    )\b""",
    re.VERBOSE,
)
# "Arrêt Gare du Nord" is a place.
_NOUNS = frozenset(("arret",))
# People who write this may have opted out by mistake, and want SMS again.
_REGRETS = re.compile(
    r"\b(?:par (?:erreur|megarde)|revenir|reabonn\w+|reinscri\w+|by (?:mistake|accident)"
    r"|resubscribe|rejoin|por error|per (?:sbaglio|errore)|versehentlich|per ongeluk"
    r"|przez pomylke)\b"
)
_QUESTIONS = frozenset(
    "pourquoi comment quand quoi qui combien why how when what who warum wie wann cosa"
    " perche come cuando porque waarom hoe dlaczego jak kiedy".split()
)
# Anagrams of "stop", typed in haste; the others are words.
_ANAGRAMS_MEANT = frozenset(("sotp", "stpo", "tsop", "tspo", "sopt", "otsp", "ostp"))
_STOP_WORD = "stop"
# Words one letter away from it that mean something else.
_NEAR_WORDS = frozenset(
    "stop top shop step stp slop atop stow strop stok sto stoa".split()
)
# Words that, alone, carriers elsewhere take as an opt-out, or that say that it is over.
_ALONE = frozenset(
    """
    end quit cancel remove fin opposition arete alto ende schluss aufhoren einde ophouden
    koniec retirez retirer radiation radier cancellazione
    """.split()
)


def normalize_words(text):
    """Return the words of `text`, without case, accents or punctuation.

    :param str|None text: any text
    :rtype: list[str]
    """
    text = unicodedata.normalize("NFKC", text or "")
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return WORD_REGEX.findall(remove_accents(text).casefold().translate(_STROKES))


def _is_misspelt(word):
    """Tell whether a word is one letter away from "stop" and is no word itself."""
    if word in _NEAR_WORDS or abs(len(word) - len(_STOP_WORD)) > 1:
        return False
    if len(word) == len(_STOP_WORD):
        return sum(map(str.__ne__, word, _STOP_WORD)) == 1
    shorter, longer = sorted((word, _STOP_WORD), key=len)
    return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


@lru_cache(maxsize=100)
def parse_keywords(text):
    """Return the keywords in a list separated by commas, semicolons or lines.

    :param str|None text: as a user writes it
    :return: keywords of one or several words each
    :rtype: frozenset[str]
    """
    keywords = (
        " ".join(normalize_words(part)) for part in re.split(r"[,;\n]", text or "")
    )
    return frozenset(keywords) - {""}


# What stands between a negation and what it negates: "ne veux pas me désabonner". Not
# "je ne suis pas intéressé, stop".
_LINK = (
    r"(?:a|au|d|de|du|des|le|la|les|l|m|me|t|te|s|se|nous|vous|je|surtout|encore|tout"
    r"|veux|veut|vouloir|voulu|voulais|envie|demande\w*|souhait\w*|besoin|etre|ete|faire"
    r"|falloir|faut|dit|to|you|me|us|be|been|get|want|wanna|wanted|going|gonna|ever|please"
    r"|ask|asked|asking|have|mean|meant|need|say|said|wish|the|your|my|from)"
)


@lru_cache(maxsize=100)
def _get_negated_regex(keywords):
    """Return a pattern that negates a keyword: "ne vous arrêtez pas", "don't stop"."""
    words = "|".join(sorted(map(re.escape, keywords), reverse=True))
    word = rf"(?:{words}|stop\w*|arret\w*|desabo\w*|desinscri\w*|unsub\w*)"
    return re.compile(
        rf"""\b(?:
        (?:ne|n)\ (?:\w+\ ){{0,3}}?{word}(?:\ \w+){{0,2}}?\ (?:pas|jamais|surtout)
        | (?:ne|n)\ (?:\w+\ ){{0,2}}?(?:pas|jamais)\ (?:{_LINK}\ ){{0,4}}?{word}
        | {word}\ (?:surtout\ )?(?:pas|jamais|nicht|niet) | pas\ (?:de\ |d\ )?{word}
        | (?:don\ t|dont|do\ not|never|not|can\ t|cant|cannot|won\ t|wont|didn\ t)
            \ (?:{_LINK}\ ){{0,4}}?{word}
        | nicht\ (?:\w+\ )?{word} | kein\w*\ {word} | niet\ (?:\w+\ )?{word}
        | nie\ (?:\w+\ )?{word} | no\ (?:me|nos|te|os)\ {word} | non\ (?:mi\ )?{word}
        )\b""",
        re.VERBOSE,
    )


def _split_glued(word, keywords):
    """Split words that are written as one: STOPSMS, STOP36111."""
    word = _OUTER_DIGITS.sub("", word) or word
    word = _LONG_RUN.sub(r"\1", word)
    if not word.isdecimal():
        word = word.replace("0", "o")
    if match := _NO_APOSTROPHE.match(word):
        return [match[0], *_split_glued(word[match.end() :], keywords)]
    word = _SPELLINGS.get(word, word)
    if match := _DOUBLED.match(word):
        word = f"arret{match[1]}"
    if word in keywords or word in _FILLERS:
        return [word]
    for keyword in keywords:
        rest = word.removeprefix(keyword)
        if rest != word and (rest in _GLUED or rest in keywords):
            return [keyword, rest]
        rest = word.removesuffix(keyword)
        if rest != word and rest in _GLUED:
            return [rest, keyword]
    return [word]


def _get_clauses(text, keywords):
    """Return the words of each part of a text between punctuation marks."""
    text = unicodedata.normalize("NFKC", text)
    text = _SPELLED.sub(lambda match: re.sub(r"[\W_]", "", match[0]), text)
    clauses = (
        [
            part
            for word in normalize_words(clause.replace("_", " "))
            for part in _split_glued(word, keywords)
        ]
        for clause in _CLAUSES.split(text)
    )
    return [clause for clause in clauses if clause]


def _read_clause(words, keywords, phrases):
    """Return what one part of a text says: `STOP`, `DOUBT`, a hint or None."""
    joined = " ".join(words)
    negated = _get_negated_regex(keywords | phrases)
    kept_joined = f" {negated.sub(' ', joined)} "
    if any(f" {phrase} " in kept_joined for phrase in phrases):
        return STOP
    if _CLEAR.search(joined) or _CLEAR_START.match(joined):
        return STOP
    rest = _BENIGN.sub(" ", joined)
    rest = negated.sub(" ", rest)
    if _STRONG.search(rest):
        listed = keywords | phrases
        return STOP if any(map(_STRONG.fullmatch, listed)) else DOUBT
    kept = rest.split()
    found = [word for word in kept if word in keywords]
    if found:
        others = [
            word
            for word in kept
            if word not in keywords and word not in _FILLERS and not word.isdecimal()
        ]
        begins = kept[0] in keywords and kept[0] == words[0]
        if others and begins and (kept[0] in _NOUNS or kept[1] in _QUESTIONS):
            return DOUBT
        if not others or begins:
            return STOP
        if _QUESTIONS.intersection(kept):
            return DOUBT
        ends = kept[-1] in keywords and len(kept) <= ENDING_WORDS
        return STOP if ends or len(others) == 1 else DOUBT
    return _HINT if _DOUBTFUL.search(rest) else None


def remove_quote(text, sent):
    """Return a reply without what it quotes of the SMS that it answers.

    :param str text: the reply
    :param str|None sent: the text of the SMS
    :rtype: str
    """
    sent_words = normalize_words(sent)
    size = min(QUOTED_WORDS, len(sent_words))
    if size < MIN_QUOTED_WORDS:
        return text
    runs = {
        tuple(sent_words[index : index + size])
        for index in range(len(sent_words) - size + 1)
    }
    matches = list(WORD_REGEX.finditer(text))
    words = ["".join(normalize_words(match[0])) for match in matches]
    pieces, kept_from, index = [], 0, 0
    while index + size <= len(words):
        if tuple(words[index : index + size]) not in runs:
            index += 1
            continue
        last = index + size
        while last < len(words) and tuple(words[last - size + 1 : last + 1]) in runs:
            last += 1
        end = matches[last - 1].end()
        clause = _QUOTED_CLAUSE.match(text, end)
        pieces.append(text[kept_from : matches[index].start()])
        kept_from = clause.end() if clause else end
        index = last
    return "\n".join((*pieces, text[kept_from:]))


def read_reply(text, keywords, sent=None):
    """Return what a reply says about getting more SMS, apart from what it quotes.

    If only the quote opts out, a user has to decide. See :func:`read_stop`.

    :param str|None sent: the text of the SMS that is answered
    """
    own = remove_quote(text or "", sent)
    verdict = read_stop(own, keywords)
    if not verdict and own != text and read_stop(text, keywords):
        return DOUBT
    return verdict


def read_stop(text, keywords):
    """Return what a text says about getting more SMS.

    A keyword opts out anywhere in a short reply, whatever punctuation, digits or polite
    words are around it, unless it means something else ("le bus stop") or the contrary
    ("ne vous arrêtez pas").

    :param str|None text: the reply
    :param str|None keywords: as :func:`parse_keywords` reads them
    :return: `STOP`, `DOUBT` if a user has to decide, or None
    :rtype: str|None
    """
    text = (text or "").strip()
    known = parse_keywords(keywords)
    words = frozenset(word for word in known if " " not in word)
    clauses = _get_clauses(text, words)
    if not clauses:
        return DOUBT if any(sign in text for sign in _STOP_SIGNS) else None
    whole = [word for clause in clauses for word in clause]
    # With a space inside, too: "s top".
    if " ".join(whole) in known or "".join(whole) in words:
        return STOP
    verdicts = {_read_clause(clause, words, known - words) for clause in clauses}
    # A sentence may have a comma inside: "je ne veux plus, de vos SMS".
    if len(clauses) > 1 and _CLEAR.search(" ".join(whole)):
        verdicts.add(STOP)
    if STOP in verdicts:
        # A long reply with a keyword somewhere is about more than that.
        begins = whole[0] in words
        if _REGRETS.search(" ".join(whole)):
            return DOUBT
        return STOP if begins or len(whole) <= SHORT_WORDS else DOUBT
    if DOUBT in verdicts or (_HINT in verdicts and len(whole) <= SHORT_WORDS):
        return DOUBT
    spoken = [word for word in whole if word not in _FILLERS]
    if len(spoken) == 1 and (
        spoken[0] in _ALONE
        or spoken[0] in _ANAGRAMS_MEANT
        or _is_misspelt(spoken[0])
        or _CLAUSE_NUMBER.fullmatch(spoken[0])
    ):
        return DOUBT
    return None


def is_stop(text, keywords):
    """Return whether `text` certainly opts out. See :func:`read_stop`.

    :param str|None text: the reply
    :param str|None keywords: as :func:`parse_keywords` reads them
    :rtype: bool
    """
    return read_stop(text, keywords) == STOP


def is_keyword(text, keywords):
    """Return whether `text` is one of `keywords` and nothing else.

    :param str|None text: the reply
    :param str|None keywords: as :func:`parse_keywords` reads them
    :rtype: bool
    """
    return " ".join(normalize_words(text)) in parse_keywords(keywords)
