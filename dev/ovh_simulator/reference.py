"""Tables of the simulated OVHcloud: countries, prices, and what a ptt code means.

Credits per country are invented round figures of the right order of magnitude (only
France, one credit, is OVHcloud's own); a program must read them from the API anyway.
"""

#: Price of one credit in euros, without tax, and the VAT rate of each billing country.
CREDIT_PRICE = 0.069
VAT_RATES = {"es": 0.21, "fr": 0.20, "gb": 0.20, "ie": 0.23, "it": 0.22, "pl": 0.23}

#: Packs: lowest number of credits (included), highest (excluded), discount on the price
#: of a credit.
PACKS = (
    (100, 500, 0.0),
    (500, 1000, 0.05),
    (1000, 2500, 0.08),
    (2500, 5000, 0.12),
    (5000, 10000, 0.16),
    (10000, 50000, 0.22),
    (50000, 100000, 0.26),
    (100000, None, 0.30),
)

_COUNTRY_LINES = """
ad Andorre 376 1.6|ae Émirats arabes unis 971 1.2|af Afghanistan 93 3
ag Antigua-et-Barbuda 1268 2|ai Anguilla 1264 2|al Albanie 355 1.6|am Arménie 374 2.4
an Antilles néerlandaises 599 2|ao Angola 244 1.6|ar Argentine 54 1.8|at Autriche 43 1.6
au Australie 61 1.2|aw Aruba 297 2|az Azerbaïdjan 994 3.4|ba Bosnie-Herzégovine 387 1.6
bb Barbade 1246 2|bd Bangladesh 880 3|be Belgique 32 1.8|bf Burkina Faso 226 2
bg Bulgarie 359 1.8|bh Bahreïn 973 0.8|bi Burundi 257 3|bj Bénin 229 2.2
bm Bermudes 1441 1.6|bn Brunei 673 0.6|bo Bolivie 591 2.2|br Brésil 55 0.8
bs Bahamas 1242 1.4|bt Bhoutan 975 2.8|bw Botswana 267 2|by Biélorussie 375 2.4
bz Belize 501 1.6|ca Canada 1 0.3|cd Congo (RDC) 243 2.2
cf République centrafricaine 236 2|cg Congo 242 3|ch Suisse 41 1.2
ci Côte d'Ivoire 225 2.6|ck Îles Cook 682 1.2|cl Chili 56 1.2|cm Cameroun 237 2.4
cn Chine 86 0.8|co Colombie 57 0.4|cr Costa Rica 506 1|cu Cuba 53 1.8|cv Cap-Vert 238 2
cy Chypre 357 0.8|cz Tchéquie 420 1.2|de Allemagne 49 1.8|dk Danemark 45 0.8
dm Dominique 1767 2|dz Algérie 213 2.8|ec Équateur 593 2.4|ee Estonie 372 1.6
eg Égypte 20 2.2|es Espagne 34 1.4|et Éthiopie 251 2.6|fi Finlande 358 1.4
fj Fidji 679 2.4|fk Îles Malouines 500 1.4|fo Îles Féroé 298 0.8|fr France 33 1
ga Gabon 241 2.4|gb Royaume-Uni 44 0.8|gd Grenade 1473 2|ge Géorgie 995 1
gf Guyane française 594 1.6|gh Ghana 233 2.2|gi Gibraltar 350 0.6|gl Groenland 299 0.6
gm Gambie 220 1.4|gn Guinée 224 2.6|gp Guadeloupe 590 1.6|gq Guinée équatoriale 240 2.2
gr Grèce 30 1.4|gt Guatemala 502 1.6|gw Guinée-Bissau 245 2.8|gy Guyana 592 2
hk Hong Kong 852 1.2|hn Honduras 504 1.6|hr Croatie 385 1.4|ht Haïti 509 2.2
hu Hongrie 36 1.4|id Indonésie 62 4|ie Irlande 353 1.2|il Israël 972 1.6|in Inde 91 1.2
iq Irak 964 3.2|is Islande 354 1.2|it Italie 39 1.4|jm Jamaïque 1876 2.2
jo Jordanie 962 2.6|jp Japon 81 1.6|ke Kenya 254 1.6|kg Kirghizistan 996 2.8
kh Cambodge 855 1.6|km Comores 269 3|kn Saint-Christophe-et-Niévès 1869 1.4
kr Corée du Sud 82 0.6|kw Koweït 965 2|ky Îles Caïmans 1345 1.6|kz Kazakhstan 77 2.6
la Laos 856 1.6|lb Liban 961 1.6|lc Sainte-Lucie 1758 2|li Liechtenstein 423 0.6
lk Sri Lanka 94 3|lr Liberia 231 2.2|ls Lesotho 266 2.4|lt Lituanie 370 0.6
lu Luxembourg 352 0.4|lv Lettonie 371 1.4|ly Libye 218 2.6|ma Maroc 212 2
md Moldavie 373 1.8|me Monténégro 382 1.4|mg Madagascar 261 2.8
mk Macédoine du Nord 389 0.8|ml Mali 223 2.8|mn Mongolie 976 1.8|mo Macao 853 0.8
mq Martinique 596 1.6|mr Mauritanie 222 2.4|ms Montserrat 1664 2|mt Malte 356 1.2
mu Maurice 230 1.2|mv Maldives 960 0.6|mw Malawi 265 1.6|mx Mexique 52 0.8
my Malaisie 60 1.6|mz Mozambique 258 1|na Namibie 264 0.6|nc Nouvelle-Calédonie 687 2.6
ne Niger 227 2.4|ng Nigeria 234 2|ni Nicaragua 505 2.4|nl Pays-Bas 31 1.8
no Norvège 47 1.4|np Népal 977 2.4|nz Nouvelle-Zélande 64 1.8|om Oman 968 1.8
pa Panama 507 1.8|pe Pérou 51 1.2|pf Polynésie française 689 1.4
pg Papouasie-Nouvelle-Guinée 675 2.4|ph Philippines 63 1|pk Pakistan 92 1.8
pl Pologne 48 0.8|ps Palestine 970 2.6|pt Portugal 351 0.8|py Paraguay 595 0.8
qa Qatar 974 1.6|re Réunion 262 1.4|ro Roumanie 40 1.2|rs Serbie 381 0.8|ru Russie 7 2.2
rw Rwanda 250 2|sa Arabie saoudite 966 1|sb Îles Salomon 677 1.4|sc Seychelles 248 0.8
sd Soudan 249 2.2|se Suède 46 1.2|sg Singapour 65 0.8|si Slovénie 386 0.8
sk Slovaquie 421 1.4|sl Sierra Leone 232 2|sm Saint-Marin 378 1.4|sn Sénégal 221 2.2
so Somalie 252 2|sr Suriname 597 0.8|st Sao Tomé-et-Principe 239 1.2|sv Salvador 503 1.2
sy Syrie 963 3|sz Eswatini 268 1.8|tc Îles Turques-et-Caïques 1649 2|td Tchad 235 2.4
tg Togo 228 2.2|th Thaïlande 66 0.6|tj Tadjikistan 992 3|tl Timor oriental 670 2
tm Turkménistan 993 2.4|tn Tunisie 216 3.2|to Tonga 676 1.4|tr Turquie 90 0.4
tt Trinité-et-Tobago 1868 1.4|tw Taïwan 886 1.2|tz Tanzanie 255 2.4|ua Ukraine 380 1.8
ug Ouganda 256 2|us États-Unis 1 0.3|uy Uruguay 598 1.4|uz Ouzbékistan 998 3
vc Saint-Vincent-et-les-Grenadines 1784 2|ve Venezuela 58 1.2
vg Îles Vierges britanniques 1284 2|vi Îles Vierges américaines 1340 0.6
vn Viêt Nam 84 1.6|vu Vanuatu 678 2|ws Samoa 685 1.4|ye Yémen 967 2
yt Mayotte 262639 1.4|za Afrique du Sud 27 0.6|zm Zambie 260 1.6|zw Zimbabwe 263 1.4
"""


def _read_countries():
    countries, prefixes = {}, {}
    for entry in _COUNTRY_LINES.replace("\n", "|").split("|"):
        if not entry:
            continue
        code, rest = entry.split(" ", 1)
        name, prefix, credits = rest.rsplit(" ", 2)
        countries[code] = (name, float(credits))
        # +1 without a more precise area code is counted as the United States, the
        # larger of the two
        if prefix not in prefixes or code == "us":
            prefixes[prefix] = code
    return countries, prefixes


#: Country code -> (name, credits for one part); calling prefix -> country code.
COUNTRIES, PREFIXES = _read_countries()
#: Area codes of +1 that are not of the United States, nor in the list above.
PREFIXES.update(
    (f"1{area}", "ca")
    for area in (
        "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 "
        "428 431 437 438 450 468 474 506 514 519 548 579 581 584 587 604 613 639 647 "
        "672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942"
    ).split()
)
PREFIXES.update((f"1{area}", "do") for area in (809, 829, 849))
_LONGEST_PREFIX = max(map(len, PREFIXES))
#: Credits for one part to a country that has no price of its own.
DEFAULT_CREDITS = 2.0


def country_of(number):
    """:return: two-letter code of the country of *number* (E.164), or ``None``."""
    digits = number[1 : 1 + _LONGEST_PREFIX]
    for length in range(len(digits), 0, -1):
        code = PREFIXES.get(digits[:length])
        if code:
            return code
    return None


def credits_for(country):
    """:return: credits for one SMS part to that country (``None``: unknown), a float."""
    return COUNTRIES[country][1] if country in COUNTRIES else DEFAULT_CREDITS


#: What operators of a country may do to a name that is not registered with them.
NAME_FATES = ("blocked", "replaced", "kept")
#: Country -> (operators, what is shown in place of a name).
NAME_OPERATORS = {
    "be": ("Proximus", "8850"),
    "es": ("Movistar", "+34600000000"),
}
#: What becomes of it -> (restriction code, message).
NAME_RESTRICTIONS = {
    "blocked": ("BLOCKED", "Only registered senders are delivered"),
    "replaced": ("ALPHA", "The sender may be replaced"),
}
#: What a report says of a name that was blocked, and of a text of no approved template
#: in the United States.
BLOCKED_NAME = ("fail", 5, 2)
NO_TEMPLATE = ("fail", 1999, 2)

#: ptt -> (short description, longer comment, how long it lasts)
PTTS = {
    1: (
        "Retrying",
        "The phone did not answer yet; another attempt follows.",
        "temporary",
    ),
    2: (
        "Retrying",
        "The operator did not answer yet; another attempt follows.",
        "temporary",
    ),
    3: ("Accepted", "The operator took the message over.", "temporary"),
    4: ("Delivered", "The phone confirmed the message.", "permanent"),
    5: (
        "Undelivered",
        "The operator confirmed that it could not deliver the message.",
        "permanent",
    ),
    6: ("Unknown", "The operator lost track of the message.", "indeterminated"),
    8: (
        "Expired",
        "The validity ended before the phone could be reached.",
        "permanent",
    ),
    20: (
        "Undeliverable",
        "The message can not be delivered to this number.",
        "permanent",
    ),
    21: (
        "No credit",
        "The subscriber has no credit left to receive the message.",
        "temporary",
    ),
    23: (
        "Invalid number",
        "The number is invalid, blacklisted or barred.",
        "permanent",
    ),
    24: ("Absent", "The phone is switched off or out of reach.", "temporary"),
    25: ("Network failure", "The network failed for the moment.", "temporary"),
    26: ("Phone error", "The phone failed for the moment.", "temporary"),
    27: (
        "Incompatible phone",
        "The phone can not receive this kind of message.",
        "permanent",
    ),
    1999: ("Template", "The text is of no approved template.", "permanent"),
    28: ("Spam", "The operator took the message for spam.", "indeterminated"),
    29: (
        "Forbidden content",
        "The operator does not permit this content.",
        "permanent",
    ),
    33: ("Parental lock", "A parental lock stopped the message.", "permanent"),
    39: ("Operator failure", "The operator's equipment failed.", "indeterminated"),
    73: (
        "Ported number",
        "This number was ported and its new operator can not be reached.",
        "permanent",
    ),
    74: ("Roaming", "The phone is roaming where it can not be reached.", "temporary"),
    76: (
        "Ported number",
        "This number was ported and its new operator blocks the message.",
        "permanent",
    ),
    202: (
        "Ported number",
        "This combination of number and operator is blocked.",
        "permanent",
    ),
}

#: DLR status -> text given with a report.
DLR_TEXTS = {
    0: "PENDING",
    1: "DELIVERED",
    2: "FAILED",
    4: "SENT",
    8: "BUFFERED",
    16: "ERROR",
}
