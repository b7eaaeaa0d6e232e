from uuid import uuid4

from markupsafe import Markup

from odoo import models

from ..tools.sms_api import normalize_number


class MailingSmsTest(models.TransientModel):
    _inherit = "mailing.sms.test"

    def action_send_sms(self):
        """Override of `mass_mailing_sms` to send tests the way of the campaign.

        Core hands its test SMS to the provider and leaves them in the queue, so that
        the cron sends them once more; and it asks the environment's company, not the
        campaign's. Here they take the way of every other SMS.
        """
        self.ensure_one()
        company = self.mailing_id.sms_ovh_company_id or self.env.company
        # sudo: who may send an SMS need not be allowed to see the account.
        if not company.sudo().sms_ovh_account_id:
            return super().action_send_sms()
        numbers = [number.strip() for number in self.numbers.splitlines()]
        numbers = [number for number in numbers if number]
        country_code = company.country_id.code or self.env.company.country_id.code
        invalid = [
            number for number in numbers if not normalize_number(number, country_code)
        ]
        # sudo: as core does, marketing users have no access of their own to SMS.
        sms_sudo = self.env["sms.sms"].sudo().create(
            self._prepare_ovh_test_values(
                [
                    normalize_number(number, country_code)
                    for number in numbers
                    if number not in invalid
                ],
                company,
            )
        )
        sms_sudo.send()
        self._log_ovh_test_after_commit(sms_sudo, invalid)
        return True

    def _log_ovh_test_after_commit(self, sms_sudo, invalid):
        """Log the outcome once it is known: tests leave after the commit, too."""
        env, wizard_id, sms_ids = self.env, self.id, sms_sudo.ids

        @self.env.cr.postcommit.add
        def log():
            with env.registry.cursor() as cr:
                new_env = env(cr=cr)
                wizard = new_env["mailing.sms.test"].browse(wizard_id)
                # sudo: as above.
                wizard._log_ovh_test(new_env["sms.sms"].sudo().browse(sms_ids), invalid)

    def _prepare_ovh_test_values(self, numbers, company):
        """Return the values of the test SMS to `numbers`."""
        mailing = self.mailing_id
        record = self.env[mailing.mailing_model_real].search([], limit=1)
        body = mailing.body_plaintext
        if record:
            body = self.env["mail.render.mixin"]._render_template(
                body, record._name, record.ids
            )[record.id]
        values_list, trace_values_list = [], []
        for number in numbers:
            uuid = uuid4().hex
            sms_body = body
            if mailing.sms_allow_unsubscribe:
                trace_values, sms_body = self._prepare_test_trace_values(
                    record, number, uuid, body
                )
                trace_values_list.append(trace_values)
            values_list.append(
                {
                    "body": sms_body,
                    "number": number,
                    "uuid": uuid,
                    "record_company_id": company.id,
                    # To one's own number: quiet hours do not hold it.
                    "sms_ovh_kind": "transactional",
                    "sms_ovh_sender_id": mailing.sms_ovh_sender_id.id,
                    "sms_ovh_stop_clause": mailing.sms_ovh_stop_clause,
                }
            )
        self.env["mailing.trace"].create(trace_values_list)
        return values_list

    def _log_ovh_test(self, sms_sudo, invalid):
        """Say in the campaign's chatter what became of each test SMS."""
        _ = self.env._
        lines = [
            _(
                "Test SMS could not be sent to %(number)s: %(reason)s",
                number=sms.number,
                reason=sms.sms_ovh_failure_reason or sms.failure_type,
            )
            if sms.state == "error"
            else _("Test SMS waiting to be sent to %s", sms.number)
            if sms.state in ("outgoing", "process")
            else _("Test SMS sent to %s", sms.number)
            for sms in sms_sudo
        ]
        lines += [
            _("Test SMS skipped %s: this is not a possible phone number.", number)
            for number in invalid
        ]
        items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
        self.mailing_id._message_log(body=Markup("<ul>%s</ul>") % items)
