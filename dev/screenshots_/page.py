"""``python -m screenshots_.page README.rst index.html``: the README as Odoo's list of applications shows it.

Odoo renders a README.rst by itself, but looks for its pictures elsewhere than a forge of source code does.
"""
import re
import sys
from pathlib import Path

from docutils.core import publish_parts
from docutils.utils import Reporter

#: Where the README's pictures are, seen from the README; Odoo looks from there on.
PICTURES = 'static/description/'


def html(text):
    """Render a README.

    :param str text: in reStructuredText.
    :return: HTML.
    :raise docutils.utils.SystemMessage: where docutils has anything to say about it.
    """
    parts = publish_parts(text, source_path='README.rst', writer_name='html5', settings_overrides={
        'halt_level': Reporter.WARNING_LEVEL, 'report_level': Reporter.WARNING_LEVEL, 'initial_header_level': 2,
        'embed_stylesheet': False, 'stylesheet_path': '', 'file_insertion_enabled': False, 'syntax_highlight': 'none', 'toc_backlinks': False,
    })
    body = parts['html_body'].replace(f'src="{PICTURES}', 'src="')
    # docutils leaves it to its own style sheet to show these as code.
    body = re.sub(r'<span class="pre">(.*?)</span>', r'\1', body)
    return re.sub(r'<span class="docutils literal">(.*?)</span>', r'<code>\1</code>', body, flags=re.DOTALL)


if __name__ == '__main__':
    source, target = map(Path, sys.argv[1:])
    target.write_text(html(source.read_text()))
