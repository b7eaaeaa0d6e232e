"""``python -m translate_.merge TEMPLATE FOLDER``: new terms into each language's file.

TEMPLATE is Odoo's export, FOLDER the addon's ``i18n/``. Each file gets the template's
terms in the template's order and keeps its translations; what it lacks is left empty
and printed.
"""

import sys
from pathlib import Path

import polib


def merge(template, translated):
    """Make a language's file anew.

    :param polib.POFile template: the terms.
    :param polib.POFile translated: the file as it is.
    :return: the new file, and the terms that it has no translation of.
    """
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


def main(exported, folder):
    """Do it. See above.

    :param str exported: the template's path.
    :param str folder: the folder's.
    :return: the exit status, 1 where a translation is missing.
    """
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
        merged.save(str(path))
        missing_anywhere = missing_anywhere or bool(missing)
        print(f"{path.stem}: {len(merged)} terms, {len(missing)} not translated")
        for msgid in missing:
            print(f"    {msgid!r}")
    return int(missing_anywhere)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
