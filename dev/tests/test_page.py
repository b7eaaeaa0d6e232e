"""The page of Odoo's list of applications."""

import re
from pathlib import Path

import pytest
from pictures.page import html, page

ROOT = Path(__file__).resolve().parent.parent.parent


def test_pictures_and_pages():
    body = html(
        "T\n=\n\n.. image:: static/description/images/a.png\n\nSee `the page "
        "<docs/x.rst>`__ and ``code``.\n"
    )
    assert 'src="images/a.png"' in body
    assert "See the page and <code>code</code>." in body


@pytest.fixture(name="whole")
def page_of_today():
    guide = ROOT / "docs" / "guide.fr.rst"
    return page((ROOT / "README.rst").read_text(), guide.read_text())


def test_both_languages(whole):
    assert whole.count('<main lang="en"') == whole.count('<main lang="fr"') == 1
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"', whole):
        assert target in ids
    for picture in re.findall(r'src="([^"]+)"', whole):
        assert (ROOT / "static" / "description" / picture).is_file(), picture


def test_page_is_of_today(whole):
    """Who changes README.rst makes the page again: ``dev/screenshots --page-only``."""
    assert (ROOT / "static" / "description" / "index.html").read_text() == whole
