from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common import SmsOvhCase

PHONE = "+33610000001"
OTHER_PHONE = "+33610000002"


@tagged("-at_install", "post_install")
class TestSmsOvhPrivacy(SmsOvhCase):
    """What is held of a person can be erased, and does not stay for ever."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner, cls.other_partner = cls.env["res.partner"].create(
            [
                {"name": "Zoé", "phone": number, "country_id": cls.france.id}
                for number in (PHONE, OTHER_PHONE)
            ]
        )

    def _send(self):
        """Send to both, each a text of its own, and one text to both."""
        for partner in self.partner | self.other_partner:
            partner._message_sms(f"Bonjour {partner.name}")
        (self.partner | self.other_partner)._message_sms_schedule_mass(body="À tous")
        self._commit()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()

    def _create_reply(self, number, ovh_id="1", **values):
        return self.env["sms.ovh.reply"].create(
            {
                "account_id": self.account.id,
                "ovh_id": ovh_id,
                "number": number,
                "body": "Je suis malade",
                "received_at": fields.Datetime.now(),
                **values,
            }
        )

    def _read_columns(self, table):
        """Return all that a table holds, as text."""
        self.env.flush_all()
        self.env.cr.execute(f"SELECT t.*::text FROM {table} t")
        return " ".join(row[0] for row in self.env.cr.fetchall())

    # ------------------------------------------------------------
    # A contact that is deleted
    # ------------------------------------------------------------

    def test_deleted_contact(self):
        self._send()
        reply = self._create_reply(PHONE)
        self._create_reply(OTHER_PHONE, ovh_id="2")
        self.assertEqual(reply.partner_id, self.partner)
        self.env["sms.ovh.stop"].create(
            {
                "account_id": self.account.id,
                "number": PHONE,
                "origin": "keyword",
                "received_at": fields.Datetime.now(),
            }
        )
        self.env["sms.ovh.event"]._receive_signal(
            self.account.id, "reply", {"senderid": "0033610000001", "text": "Malade"}
        )
        tables = (
            "sms_ovh_log",
            "sms_ovh_job",
            "sms_ovh_reply",
            "sms_ovh_stop",
            "sms_ovh_event",
        )
        for table in tables:
            self.assertIn("33610000001", self._read_columns(table), table)
        charged = sum(self.env["sms.ovh.log"].search([]).mapped("credits"))
        self.partner.unlink()
        for table in tables:
            self.assertNotIn("33610000001", self._read_columns(table), table)
        for table in ("sms_ovh_log", "sms_ovh_job", "sms_ovh_reply"):
            self.assertIn("33610000002", self._read_columns(table), "another's stay")
        self.assertFalse(reply.body)
        jobs = self.env["sms.ovh.job"].search([("account_id", "=", self.account.id)])
        self.assertEqual(len(jobs), 3)
        self.assertEqual(
            sorted(len(job.receivers or []) for job in jobs),
            [0, 1, 1],
            "the figure stays",
        )
        self.assertEqual(sum(jobs.mapped("receiver_count")), 4)
        self.assertEqual(
            sum(self.env["sms.ovh.log"].search([]).mapped("credits")), charged
        )

    def test_deleted_mailing_contact(self):
        mailing = self._create_mailing([PHONE, "+33610000003"], body="Soldes")
        self.partner.phone = False
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        mailing.contact_list_ids.contact_ids.filtered(
            lambda contact: contact.mobile == PHONE
        ).unlink()
        for table in ("sms_ovh_log", "sms_ovh_job"):
            columns = self._read_columns(table)
            self.assertNotIn("33610000001", columns)
            self.assertIn("33610000003", columns)

    def test_number_that_others_have_too(self):
        """The data may be the other's."""
        self._send()
        twin = self.partner.copy({"phone": PHONE})
        self.partner.unlink()
        self.assertIn("33610000001", self._read_columns("sms_ovh_log"))
        twin.unlink()
        self.assertNotIn("33610000001", self._read_columns("sms_ovh_log"))

    def test_merged_contacts(self):
        """Odoo deletes all but one; nobody asked for anything to be erased."""
        self._send()
        reply = self._create_reply(PHONE)
        old_reply = self._create_reply(PHONE, ovh_id="2")
        waiting = self.partner._message_sms_schedule_mass(body="Demain")
        waiting += self.partner._message_sms("Ce soir").notification_ids.sms_id
        states = waiting.mapped("state")
        self.assertEqual(states, ["outgoing", "process"])
        self.env["sms.ovh.stop"].create(
            {
                "account_id": self.account.id,
                "number": PHONE,
                "origin": "keyword",
                "received_at": fields.Datetime.now(),
            }
        )
        tables = ("sms_ovh_log", "sms_ovh_job", "sms_ovh_reply", "sms_ovh_stop")
        before = {table: self._read_columns(table).count(PHONE) for table in tables}
        partners = self.partner | self.other_partner
        self.env["base.partner.merge.automatic.wizard"]._merge(
            partners.ids, dst_partner=self.other_partner
        )
        self.assertEqual(partners.exists(), self.other_partner)
        for table in tables:
            self.assertEqual(
                self._read_columns(table).count(PHONE), before[table], table
            )
        for each in reply | old_reply:
            self.assertEqual(each.body, "Je suis malade")
            self.assertEqual(each.partner_id, self.other_partner)
            self.assertEqual(each._get_record(), self.other_partner)
        self.assertEqual(waiting.exists().mapped("state"), states)
        # What is erased later is all that the merged contact was written.
        self.other_partner.unlink()
        self.assertFalse((reply | old_reply).filtered("body"))

    def test_reply_of_a_contact_without_number(self):
        reply = self._create_reply(PHONE)
        self.partner.phone = False
        self.partner.unlink()
        self.assertFalse(reply.body or reply.number or reply.partner_id)

    def test_stop_at_ovh_keeps_its_number_only(self):
        """It would be read again, and it is what keeps advertising from that number."""
        mailing = self._create_mailing([PHONE])
        stop = self.env["sms.ovh.stop"].create(
            {
                "account_id": self.account.id,
                "number": PHONE,
                "mailing_id": mailing.id,
                "received_at": fields.Datetime.now(),
            }
        )
        mailing.contact_list_ids.contact_ids.unlink()
        self.partner.unlink()
        self.assertEqual(stop.number, PHONE)
        self.assertFalse(stop.mailing_id)

    def test_who_deletes_contacts_needs_no_other_rights(self):
        self._send()
        user = new_test_user(
            self.env,
            "assistante",
            "base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.partner.with_user(user).unlink()
        self.assertNotIn("33610000001", self._read_columns("sms_ovh_log"))

    # ------------------------------------------------------------
    # What administrators delete
    # ------------------------------------------------------------

    def test_deleted_reply_is_not_read_again(self):
        self.account.default_sender_id = self._sender(type="shortcode")
        self._create_sms([PHONE]).send()
        self._commit()
        self.simulator._call(
            "POST",
            f"phones/{PHONE}/reply",
            {"service": self.account.service_name, "text": "Malade"},
        )
        self.account._read_answers()
        domain = [("account_id", "=", self.account.id)]
        reply = self.env["sms.ovh.reply"].search(domain)
        self.assertEqual(reply.body, "Malade")
        marketing = new_test_user(
            self.env,
            "marketing",
            "mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        with self.assertRaises(AccessError):
            reply.with_user(marketing).unlink()
        administrator = new_test_user(
            self.env,
            "administratrice",
            "base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        reply.with_user(administrator).unlink()
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.assertFalse(self.env["sms.ovh.reply"].search(domain))
        self.simulator._call(
            "POST",
            f"phones/{PHONE}/reply",
            {"service": self.account.service_name, "text": "Mieux"},
        )
        self.account._read_answers()
        self.assertEqual(
            self.env["sms.ovh.reply"].search(domain).mapped("body"), ["Mieux"]
        )

    # ------------------------------------------------------------
    # What goes by itself
    # ------------------------------------------------------------

    def test_old_replies(self):
        now = fields.Datetime.now()
        old = self._create_reply(PHONE, received_at=now - timedelta(days=1096))
        young = self._create_reply(
            PHONE, ovh_id="2", received_at=now - timedelta(days=1094)
        )
        self.env["sms.ovh.reply"]._gc_replies()
        self.assertEqual((old | young).exists(), young)
        self.env["ir.config_parameter"].set_param("sms_ovh.keep_replies_days", "30")
        self.env["sms.ovh.reply"]._gc_replies()
        self.assertFalse(young.exists())

    def test_old_estimates(self):
        mailing = self._create_mailing([PHONE])
        mailing.action_sms_ovh_estimate()
        estimate = mailing.sms_ovh_estimate_ids
        self.env["sms.ovh.estimate"]._gc_estimates()
        self.assertTrue(estimate.exists())
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_ovh_estimate SET write_date = write_date - interval '91 days'"
        )
        self.env.invalidate_all()
        self.env["sms.ovh.estimate"]._gc_estimates()
        self.assertFalse(estimate.exists())

    def test_old_signals(self):
        """What callers sent along is kept as long as reports are."""
        Event = self.env["sms.ovh.event"]
        Event._receive_signal(self.account.id, "reply", {"text": "Malade"})
        event = Event.search([("account_id", "=", self.account.id)])
        Event._gc_events()
        self.assertTrue(event.exists())
        event.create_date = fields.Datetime.now() - timedelta(days=31)
        Event._gc_events()
        self.assertFalse(event.exists())

    # ------------------------------------------------------------
    # Estimates
    # ------------------------------------------------------------

    def test_estimate_keeps_no_text(self):
        mailing = self._create_mailing(
            [PHONE, "+33610000003"], body="Bonjour {{ object.name }} " + "x" * 150
        )
        secret = "Maximilienne-la-secrète"
        mailing.contact_list_ids.contact_ids[0].name = secret
        action = mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_ids.state, "done")
        for table in (
            "sms_ovh_estimate",
            "sms_ovh_estimate_line",
            "sms_ovh_estimate_slice",
            "sms_ovh_mailing_send",
        ):
            columns = self._read_columns(table)
            self.assertNotIn("secr", columns)
            self.assertNotIn("33610000001", columns)
        send = self.env["sms.ovh.mailing.send"].browse(action["res_id"])
        with Form(send) as form:
            self.assertIn(secret, form.longest_text)

    def test_stopped_estimate_keeps_no_numbers(self):
        mailing = self._create_mailing([PHONE, "+33610000003"])
        mailing.action_sms_ovh_estimate()
        estimate = mailing.sms_ovh_estimate_ids
        estimate.write({"state": "running", "res_ids": [1, 2]})
        self.env["sms.ovh.estimate.slice"].create(
            {"estimate_id": estimate.id, "numbers": [PHONE], "result": {}}
        )
        estimate.action_cancel()
        self.assertFalse(estimate.slice_ids)
        self.assertFalse(estimate.res_ids)
        mailing.action_sms_ovh_estimate()
        self.assertEqual(mailing.sms_ovh_estimate_ids.sent_count, 2)
