from odoo.tests import tagged

from .answers_common import PHONE
from .common import SERVICE_1
from .test_account_tours import AccountToursCase

TEXT = "À quelle heure ouvrez-vous <b>samedi</b> ?"


class ReplyToursCase(AccountToursCase):
    """A recipient answers by the virtual phone; somebody sees it in Odoo and answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["mailing.mailing"].search([("mailing_type", "=", "sms")]).unlink()
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Zoé Martin",
                "phone": PHONE,
                "country_id": cls.env.ref("base.fr").id,
            }
        )

    def _run_cron(self, xmlid):
        self.env.ref(xmlid).with_user(self.env.ref("base.user_root")).sudo(
            False
        ).method_direct_trigger()
        self.env.invalidate_all()

    def _send_campaign(self, **values):
        """Send a campaign that can be replied to, and have it delivered."""
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "user_id": self.env.ref("base.user_admin").id,
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": [("id", "=", self.partner.id)],
                "body_plaintext": "Samedi, -30 % à la boutique",
                "sms_ovh_kind": "transactional",
                **values,
            }
        )
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.simulator.forget_callbacks()
        return mailing

    def _press_on_the_phone(self, what, **content):
        """Answer on the virtual phone, and have Odoo called and read it."""
        self.simulator._call(
            "POST", f"phones/{PHONE}/{what}", {"service": SERVICE_1, **content}
        )
        self._run_cron("sms_ovh.ir_cron_read_answers")

    def _stop(self):
        self._send_campaign()
        self._press_on_the_phone("stop")
        self.start_tour("/odoo/sms-marketing", "sms_ovh_stop", login="admin")
        self.start_tour("/odoo/contacts", "sms_ovh_stop_chatter", login="admin")

    def _answer_a_reply(self, way=""):
        short = self.account.sender_ids.filtered(
            lambda sender: sender.type == "shortcode"
        )
        self._send_campaign(sms_ovh_sender_id=short.id)
        self._press_on_the_phone("reply", text=TEXT)
        self.start_tour(
            "/odoo/ovhcloud-replies", f"sms_ovh_answer_reply{way}", login="admin"
        )
        # In a test nothing is committed: what follows a commit is the cron's.
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.assertEqual(
            self.simulator.get_ledger()[-1]["text_sent"], "Dès 9 h, à samedi !"
        )


@tagged("-at_install", "post_install")
class TestReplyTours(ReplyToursCase):
    def test_answer_a_reply(self):
        self._answer_a_reply()

    def test_answer_a_reply_by_keyboard(self):
        self._answer_a_reply("_keyboard")

    def test_stop(self):
        self._stop()


@tagged("-at_install", "post_install")
class TestReplyToursMobile(ReplyToursCase):
    """The same at the width of a phone."""

    browser_size = "375x667"
    touch_enabled = True

    def test_answer_a_reply(self):
        self._answer_a_reply()

    def test_stop(self):
        self._stop()
