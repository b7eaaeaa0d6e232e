from odoo import api, models
from odoo.tools import SQL

from .sms_ovh_job import OPEN_STATES

# Models of persons whom SMS are sent to; both have `phone_sanitized`.
CONTACT_MODELS = ("res.partner", "mailing.contact")


class SmsOvhPrivacy(models.AbstractModel):
    """Erasing what this addon holds of a contact (GDPR, article 17). See docs/privacy.rst."""

    _name = "sms.ovh.privacy"
    _description = "Erasing of a Contact's SMS"

    @api.model
    def _forget(self, contacts):
        """Erase what is held of contacts, which are about to be deleted.

        Figures stay, without the number. What another contact of the same number was
        sent stays as well.

        :param contacts: records of one of `CONTACT_MODELS`
        """
        # sudo: the right to delete the contact extends to its data here.
        self = self.sudo()
        accounts = self.env["sms.ovh.account"].with_context(active_test=False)
        if not accounts.search_count([], limit=1):
            return
        self.env["sms.sms"]._sms_ovh_close_of(contacts)
        numbers = self._get_own_numbers(contacts.sudo())
        self._forget_replies(contacts, numbers)
        self._forget_estimates(contacts)
        if numbers:
            self._forget_stops(numbers)
            # Also those being asked for: the cron goes on without them.
            self.env["sms.ovh.number.check"].search(
                [("number", "in", numbers)]
            ).unlink()
            self._forget_sent(numbers)
            self._forget_signals(numbers)

    @api.model
    def _get_own_numbers(self, contacts):
        """Return the numbers that these contacts alone have, in E.164.

        :rtype: list[str]
        """
        numbers = set(contacts.mapped("phone_sanitized")) - {False}
        for model in CONTACT_MODELS:
            if not numbers:
                break
            domain = [("phone_sanitized", "in", list(numbers))]
            if model == contacts._name:
                domain.append(("id", "not in", contacts.ids))
            others = self.env[model].with_context(active_test=False).search(domain)
            numbers -= set(others.mapped("phone_sanitized"))
        return sorted(numbers)

    @api.model
    def _forget_replies(self, contacts, numbers):
        domain = [
            "|",
            "&",
            ("res_model", "=", contacts._name),
            ("res_id", "in", contacts.ids),
            ("number", "in", numbers),
        ]
        if contacts._name == "res.partner":
            domain = ["|", ("partner_id", "in", contacts.ids), *domain]
        self.env["sms.ovh.reply"].search(domain).write(
            {
                "number": False,
                "body": False,
                "partner_id": False,
                "res_model": False,
                "res_id": False,
                "message_id": False,
                "trace_id": False,
            }
        )

    @api.model
    def _forget_estimates(self, contacts):
        """Delete estimates whose failure names one of these: they are quickly made anew."""
        self.env["sms.ovh.estimate"].search(
            [("error_res_id", "in", contacts.ids)]
        ).filtered(
            lambda estimate: estimate.mailing_id.mailing_model_real == contacts._name
        ).unlink()

    @api.model
    def _forget_stops(self, numbers):
        """Keep of a STOP only what prevents further advertising: the number.

        Odoo's blacklist holds it as well, so what was read from a reply can go. What
        OVHcloud's list holds would be read again.
        """
        stops = self.env["sms.ovh.stop"].search([("number", "in", numbers)])
        stops.filtered(lambda stop: stop.origin == "keyword").unlink()
        stops.exists().write({"trace_id": False, "mailing_id": False})

    @api.model
    def _forget_sent(self, numbers):
        """Take the numbers out of what was sent: figures, ended jobs, reports."""
        Log, Job, Event = (
            self.env[f"sms.ovh.{name}"] for name in ("log", "job", "event")
        )
        Log.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_log SET number = NULL WHERE number = ANY(%s)
             RETURNING account_id, date, sms_ovh_id
                """,
                numbers,
            )
        )
        if not rows:
            return
        Log.invalidate_model(["number"], flush=False)
        account_ids = list({account_id for account_id, *__ in rows})
        # What a log calls its date is when its job was posted.
        jobs = Job.search(
            [
                ("account_id", "in", account_ids),
                ("posted_at", "in", list({date for __, date, __ in rows})),
                ("state", "not in", OPEN_STATES),
            ]
        )
        forgotten = set(numbers)
        for job in jobs:
            receivers = job.receivers or []
            kept = [pair for pair in receivers if pair[1] not in forgotten]
            asked_for = job.open_receivers or {}
            open_kept = {
                number: ovh_id
                for number, ovh_id in asked_for.items()
                if number not in forgotten
            }
            if len(kept) == len(receivers) and len(open_kept) == len(asked_for):
                continue
            values = {"receivers": kept, "open_receivers": open_kept or False}
            if not kept:
                # A text of its own.
                values["body"] = False
            job.write(values)
        Event.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_ovh_event SET payload = NULL
                 WHERE account_id = ANY(%s) AND sms_ovh_id = ANY(%s)
                   AND state NOT IN ('new', 'waiting')
                """,
                account_ids,
                [ovh_id for *__, ovh_id in rows if ovh_id],
            )
        )
        Event.invalidate_model(["payload"], flush=False)

    @api.model
    def _forget_signals(self, numbers):
        """Empty calls about a STOP or a reply which name one of these numbers."""
        Event = self.env["sms.ovh.event"]
        Event.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_ovh_event SET payload = NULL
                 WHERE kind IN ('stop', 'reply') AND state IN ('new', 'waiting')
                   AND payload::text LIKE ANY(%s)
                """,
                # However it is written: +33 6, 0033 6 or 336.
                [f"%{number.removeprefix('+')}%" for number in numbers],
            )
        )
        Event.invalidate_model(["payload"], flush=False)
