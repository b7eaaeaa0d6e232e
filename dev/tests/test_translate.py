"""What ``dev/translate`` makes of a language's file."""

import polib
from upkeep import translations as merge


def _file(*entries):
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    for msgid, msgstr, *occurrences in entries:
        made.append(
            polib.POEntry(
                msgid=msgid,
                msgstr=msgstr,
                occurrences=[(name, "") for name in occurrences],
            )
        )
    return made


def test_translations_are_kept_and_gaps_named():
    template = _file(
        ("New", "", "code:a.py"), ("Sender", "", "code:b.py"), ("Sent", "")
    )
    french = _file(
        ("Sent", "Envoyé"), ("Gone", "Parti"), ("Sender", "Expéditeur", "old")
    )
    merged, missing = merge.merge(template, french)
    assert [(entry.msgid, entry.msgstr) for entry in merged] == [
        ("New", ""),
        ("Sender", "Expéditeur"),
        ("Sent", "Envoyé"),
    ]
    assert merged[1].occurrences == [("code:b.py", "")]
    assert merged.metadata == french.metadata
    assert missing == ["New"]


def test_files(tmp_path):
    """A second run changes nothing, the template's date included."""
    exported = tmp_path / "export.pot"
    _file(("Sent", "", "code:a.py")).save(str(exported))
    folder = tmp_path / "i18n"
    folder.mkdir()
    _file(("Gone", "")).save(str(folder / "sms_ovh.pot"))
    _file(("Sent", "Envoyé")).save(str(folder / "fr.po"))
    assert merge.merge_all(str(exported), str(folder)) == 0
    assert (folder / "sms_ovh.pot").read_bytes() == exported.read_bytes()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    later = polib.pofile(str(exported))
    later.metadata["POT-Creation-Date"] = "2030-01-01 00:00+0000"
    later.save(str(exported))
    assert merge.merge_all(str(exported), str(folder)) == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    _file(("Sent", ""), ("New", "")).save(str(exported))
    assert merge.merge_all(str(exported), str(folder)) == 1


def test_french_typography():
    nbsp = "\u00a0"
    for before, after in (
        ("Vraiment ?", f"Vraiment{nbsp}?"),
        ("Non ; oui : peut-être !", f"Non{nbsp}; oui{nbsp}: peut-être{nbsp}!"),
        (
            "«Envoyer» ou « Planifier »",
            f"«{nbsp}Envoyer{nbsp}» ou «{nbsp}Planifier{nbsp}»",
        ),
        ("90 % en %s", f"90{nbsp}% en %s"),
        (f"Déjà{nbsp}là\u202f!", f"Déjà{nbsp}là{nbsp}!"),
        ('<a invisible="x != y">a : b</a>', f'<a invisible="x != y">a{nbsp}: b</a>'),
        ("STOP:36111, 8:00", "STOP:36111, 8:00"),
    ):
        assert merge.tidy("fr", before) == after
        assert merge.tidy("fr", after) == after
        assert merge.tidy("de", before) == before
