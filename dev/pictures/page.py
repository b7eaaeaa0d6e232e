"""The README as Odoo's list of applications shows it, in English and French.

Odoo renders a README.rst by itself, but looks for its pictures elsewhere than a forge
of source code does.
"""

import re

from docutils.core import publish_parts
from docutils.utils import Reporter

#: Where the README's pictures are, seen from the README; Odoo looks from there on.
PICTURES = "static/description/"


#: Addresses of the repository's pages, which Odoo does not serve.
PAGES = r'(?!https?:)[^"]*\.(?:rst|md)'


def html(text, language="en"):
    """Render a README as HTML.

    :param str language: code of its language, by which the ids of its sections differ
        from another's.
    :raise docutils.utils.SystemMessage: where docutils has anything to say about it.
    """
    parts = publish_parts(
        text,
        source_path="README.rst",
        writer_name="html5",
        settings_overrides={
            "halt_level": Reporter.WARNING_LEVEL,
            "report_level": Reporter.WARNING_LEVEL,
            "initial_header_level": 2,
            "id_prefix": f"{language}-",
            "language_code": language,
            "embed_stylesheet": False,
            "stylesheet_path": "",
            "file_insertion_enabled": False,
            "syntax_highlight": "none",
            "toc_backlinks": False,
        },
    )
    body = parts["html_body"].replace(f'src="{PICTURES}', 'src="')
    body = re.sub(
        rf'<a class="reference external" href="{PAGES}">(.*?)</a>',
        r"\1",
        body,
        flags=re.DOTALL,
    )
    body = body.replace("<main ", f'<main lang="{language}" ', 1)
    # docutils leaves it to its own style sheet to show these as code.
    body = re.sub(r'<span class="pre">(.*?)</span>', r"\1", body)
    return re.sub(
        r'<span class="docutils literal">(.*?)</span>',
        r"<code>\1</code>",
        body,
        flags=re.DOTALL,
    )


def page(readme, guide):
    """Return the page of README.rst, in English, and of the guide in French."""
    english, french = html(readme), html(guide, "fr")
    # README.rst's way to the guide, which is on this page.
    english = english.replace("<p>Le guide en français</p>\n", "")
    anchor = re.search(r'<main lang="fr" id="([^"]+)"', french)[1]
    link = f'<p><a href="#{anchor}" lang="fr">Le guide en français</a></p>'
    return f"{link}\n{english}<hr />\n{french}"


def write_page(root):
    """Write the page."""
    readme, guide = root / "README.rst", root / "docs" / "guide.fr.rst"
    target = root / "static" / "description" / "index.html"
    target.write_text(page(readme.read_text(), guide.read_text()))
