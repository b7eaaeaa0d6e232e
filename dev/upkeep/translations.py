"""New terms into each language's file.

Each gets the terms of Odoo's export in their order and keeps its translations; what it
lacks is left empty and printed.
"""

import re
from pathlib import Path

import polib

#: A tag, whose attributes are no text.
TAG = re.compile(r"(<[^<>]*>)")
SPACE = r"[ \u00a0\u202f]"
#: French puts a no-break space before these, and within these quotes.
FRENCH = (
    (re.compile(rf"{SPACE}+(?=[:;!?»])"), "\u00a0"),
    (re.compile(r"(?<=[^\s\u00a0])(?=»)"), "\u00a0"),
    (re.compile(rf"«{SPACE}*"), "«\u00a0"),
    (re.compile(rf"(?<=\d){SPACE}+(?=%(?!\())"), "\u00a0"),
)


def tidy(language, text):
    """Return a translation with the no-break spaces that its language, as ``fr``, asks for."""
    if language != "fr":
        return text
    pieces = TAG.split(text)
    for index in range(0, len(pieces), 2):
        for regex, replacement in FRENCH:
            pieces[index] = regex.sub(replacement, pieces[index])
    return "".join(pieces)


def merge(template, translated):
    """Return a language's file made anew, and the terms that it has no translation of."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in translated}
    merged = polib.POFile(wrapwidth=translated.wrapwidth)
    merged.header = translated.header
    merged.metadata = translated.metadata
    merged.metadata_is_fuzzy = translated.metadata_is_fuzzy
    missing = []
    for term in template:
        entry = known.get((term.msgctxt, term.msgid))
        merged.append(
            polib.POEntry(
                msgctxt=term.msgctxt,
                msgid=term.msgid,
                msgstr=entry.msgstr if entry else "",
                comment=term.comment,
                tcomment=entry.tcomment if entry else "",
                occurrences=term.occurrences,
                flags=term.flags,
            )
        )
        if not (entry and entry.msgstr):
            missing.append(term.msgid)
    return merged, missing


def merge_all(exported, folder):
    """Merge a template into a folder's files; return 1 where a translation is missing."""
    template = polib.pofile(exported)
    kept = Path(folder) / "sms_ovh.pot"
    terms = {(entry.msgid, *sorted(entry.occurrences)) for entry in template}
    old = polib.pofile(str(kept))
    if terms != {(entry.msgid, *sorted(entry.occurrences)) for entry in old}:
        # Else nothing but the date would change.
        kept.write_bytes(Path(exported).read_bytes())
    missing_anywhere = False
    for path in sorted(Path(folder).glob("*.po")):
        merged, missing = merge(template, polib.pofile(str(path)))
        for entry in merged:
            entry.msgstr = tidy(path.stem, entry.msgstr)
        merged.save(str(path))
        missing_anywhere = missing_anywhere or bool(missing)
        print(f"{path.stem}: {len(merged)} terms, {len(missing)} not translated")
        for msgid in missing:
            print(f"    {msgid!r}")
    return int(missing_anywhere)
