import re
from pathlib import Path
from unittest.mock import patch

from docutils.core import publish_doctree
from docutils.utils import Reporter

from odoo.tests import TransactionCase, tagged
from odoo.tools.safe_eval import safe_eval

from .. import const
from ..models.sms_ovh_job import TRANSITIONS

ROOT = Path(__file__).resolve().parent.parent


@tagged("-at_install", "post_install")
class TestOperatorsPage(TransactionCase):
    """What can go wrong, and what can be set, stands in docs/operators.rst."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = (ROOT / "docs" / "operators.rst").read_text(encoding="utf-8")
        # Cells of tables go over several lines.
        cls.words = re.sub(r"\s+", " ", cls.page)

    def _get_labels(self, model, name):
        return dict(self.env[model]._fields[name]._description_selection(self.env))

    def test_every_failure(self):
        failures = {
            *dict(const.FAILURE_TYPES),
            *const.PROVIDER_TO_SMS_FAILURE_TYPE.values(),
            *(failure for __, failure in const.PTT_TO_STATE.values() if failure),
            const.PTT_UNKNOWN_FAILURE_TYPE,
        }
        self.assertGreaterEqual(len(failures), 15)
        labels = self._get_labels("sms.sms", "failure_type")
        for failure in failures:
            with self.subTest(failure=failure):
                self.assertIn(f"``{failure}``", self.page)
                # At least its first words: a cell breaks off at the column's end.
                self.assertIn(labels[failure][:25], self.page)

    def test_every_reason_to_stop(self):
        labels = self._get_labels("sms.ovh.account", "pause_reason")
        for reason, label in labels.items():
            self.assertIn(f"*{label}* (``{reason}``)", self.words)

    def test_every_state_of_a_job(self):
        labels = self._get_labels("sms.ovh.job", "state")
        for state in TRANSITIONS:
            self.assertIn(f"*{labels[state]}* (``{state}``)", self.words)

    def test_every_parameter(self):
        text = "".join(
            path.read_text(encoding="utf-8")
            for path in (ROOT / "const.py", *ROOT.glob("models/*.py"))
        )
        names = set(re.findall(r"`(sms_ovh\.[a-z_]+)`", text))
        names |= {
            f"sms_ovh.{name}"
            for name in re.findall(r'get_parameter\(\s*"([a-z_]+)"', text)
        }
        self.assertGreaterEqual(len(names), 6)
        for name in names:
            with self.subTest(parameter=name):
                self.assertIn(f"- ``{name}`` (", self.page)

    def test_every_scheduled_action(self):
        own = self.env["ir.model.data"].search(
            [("module", "=", "sms_ovh"), ("model", "=", "ir.cron")]
        )
        crons = self.env["ir.cron"].with_context(active_test=False)
        names = crons.browse(own.mapped("res_id")).mapped("cron_name")
        names += [
            self.env.ref("sms.ir_cron_sms_scheduler_action").cron_name,
            self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").cron_name,
        ]
        self.assertGreaterEqual(len(names), 8)
        for name in names:
            with self.subTest(name=name):
                self.assertIn(name, self.words)

    def test_queries_run(self):
        """What is to be copied from the page into a monitoring system works."""
        block = self.page.split(".. code-block:: sql")[1].split("\nIn Odoo's log")[0]
        queries = [query for query in block.split(";") if query.strip()]
        self.assertEqual(len(queries), 4)
        for query in queries:
            self.env.cr.execute(query)
            self.env.cr.fetchall()

    def test_figures_are_made_anew(self):
        """The command of the page does it, as Odoo's shell runs it."""
        (command,) = re.findall(r"echo '(.*)' \| odoo-bin shell", self.page)
        self.env.cr.execute("UPDATE sms_ovh_figure SET sent = sent + 1")
        Figure = self.env["sms.ovh.figure"]
        Figure.create({"account_id": 1, "date": "2026-01-01", "sent": 7})
        with patch.object(self.env.cr, "commit") as commit:
            safe_eval(command, {"env": self.env}, mode="exec")
        commit.assert_called_once_with()
        self.assertEqual(
            sum(Figure.search([]).mapped("sent")),
            self.env["sms.ovh.log"].search_count([("state", "=", "sent")]),
        )

    def test_all_pages_are_valid(self):
        pages = [*ROOT.glob("*.rst"), *(ROOT / "docs").glob("*.rst")]
        self.assertGreaterEqual(len(pages), 9)
        for page in pages:
            with self.subTest(page=page.name):
                publish_doctree(
                    page.read_text(encoding="utf-8"),
                    settings_overrides={
                        "halt_level": Reporter.WARNING_LEVEL,
                        "report_level": Reporter.SEVERE_LEVEL,
                        "syntax_highlight": "none",
                    },
                )
