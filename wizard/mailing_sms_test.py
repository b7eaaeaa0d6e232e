from uuid import uuid4

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.client_actions import notify
from ..tools.links import append_visitor
from ..tools.phone_number import get_number_sentences
from ..tools.sms_segments import is_blank


class MailingSmsTest(models.TransientModel):
    _name = "mailing.sms.test"
    _inherit = ["mailing.sms.test", "sms.ovh.guard.mixin"]

    _sms_ovh_guarded_links = {"mailing_id": "write"}

    sms_ovh_in_use = fields.Boolean(compute="_compute_sms_ovh_in_use")
    sms_ovh_resource_ref = fields.Reference(
        selection="_selection_sms_ovh_target_model",
        string="As Sent To",
        compute="_compute_sms_ovh_resource_ref",
        store=True,
        readonly=False,
        help="The test has the text that this recipient will get.",
    )

    @api.model
    def _selection_sms_ovh_target_model(self):
        return self.env["sms.ovh.preview"]._selection_target_model()

    @api.depends("mailing_id")
    def _compute_sms_ovh_in_use(self):
        for test in self:
            # sudo: users who may send SMS need not be allowed to see the account.
            test.sms_ovh_in_use = bool(test.mailing_id.sudo().sms_ovh_account_id)

    @api.depends("mailing_id")
    def _compute_sms_ovh_resource_ref(self):
        """Propose the campaign's first recipient."""
        for test in self:
            if test.sms_ovh_resource_ref or not test.sms_ovh_in_use:
                test.sms_ovh_resource_ref = test.sms_ovh_resource_ref
                continue
            model = test.mailing_id.mailing_model_real
            ids = model and test.mailing_id._sms_ovh_as_sent()._get_recipients()
            test.sms_ovh_resource_ref = f"{model},{ids[0]}" if ids else False

    def action_send_sms(self):
        """Override of `mass_mailing_sms` to send tests in the same way as the campaign.

        Core hands its test SMS to the provider but leaves them in the queue, so that
        the cron sends them once more. It also uses the environment's company instead of
        the campaign's. Here they are sent like any other SMS.
        """
        self.ensure_one()
        self.mailing_id.check_access("write")
        company = self.mailing_id.sms_ovh_company_id or self.env.company
        # sudo: users who may send SMS need not be allowed to see the account.
        if not company.sudo().sms_ovh_account_id:
            # Core uses the provider of the environment's company.
            last_sudo = self.env["sms.sms"].sudo().search([], order="id desc", limit=1)
            result = super(MailingSmsTest, self.with_company(company)).action_send_sms()
            self._sms_ovh_set_sent_elsewhere(last_sudo)
            return result
        numbers = [number.strip() for number in self.numbers.splitlines()]
        numbers = [number for number in numbers if number]
        country_code = company.country_id.code or self.env.company.country_id.code
        cleaned = {
            number: company._sms_ovh_clean_number(number, country_code)
            for number in numbers
        }
        invalid = {
            number: found.reason
            for number, found in cleaned.items()
            if not found.number
        }
        # sudo: as core does, marketing users have no access of their own to SMS.
        values_list = self._sms_ovh_prepare_test_values(
            [cleaned[number].number for number in numbers if number not in invalid],
            company,
        )
        sms_sudo = (
            self.env["sms.sms"]
            .sudo()
            .with_context(sms_ovh_gsm7=self.mailing_id.sms_ovh_gsm7)
            .create(values_list)
        )
        base_url = self.mailing_id.get_base_url()
        for sms in sms_sudo:
            # Like each SMS of the campaign: short links show where they were clicked.
            sms.body = append_visitor(sms.body, base_url, sms.id)
        sms_sudo.send()
        self._sms_ovh_log_test_after_commit(sms_sudo, invalid)
        return self._sms_ovh_notify_test(sms_sudo.mapped("number"), invalid)

    def _sms_ovh_notify_test(self, sent, invalid):
        """Tell which numbers get the test; close the dialog and refresh the chatter."""
        messages = []
        if sent:
            messages.append(
                self.env._("The test is being sent to %s.", ", ".join(sent))
            )
        if invalid:
            messages.append(
                self.env._(
                    "Not sent, because these are no phone numbers: %s.",
                    ", ".join(invalid),
                )
            )
        return notify(
            " ".join(messages),
            "success" if not invalid else "warning" if sent else "danger",
            then="close",
            sticky=bool(invalid),
        )

    def _sms_ovh_set_sent_elsewhere(self, last_sudo):
        """Take tests that another provider has sent out of the queue.

        Core leaves there what it handed over: if the user's company sends through
        OVHcloud, they would leave once more that way.

        :param last_sudo: the last `sms.sms` created before the tests
        """
        if self.env.company._sms_ovh_filter_sending():
            last_sudo.search(
                [
                    ("id", ">", last_sudo.id or 0),
                    ("state", "=", "outgoing"),
                    ("create_uid", "=", self.env.uid),
                    ("mailing_id", "=", False),
                ]
            ).write({"state": "pending", "to_delete": True})

    def _sms_ovh_log_test_after_commit(self, sms_sudo, invalid):
        """Log the outcome once it is known: tests, too, leave only after the commit."""
        env, wizard_id, sms_ids = self.env, self.id, sms_sudo.ids

        @self.env.cr.postcommit.add
        def log():
            with env.registry.cursor() as cr:
                new_env = env(cr=cr)
                # Skip tests that were rolled back after they were requested.
                wizard = new_env["mailing.sms.test"].browse(wizard_id).exists()
                # sudo: as above.
                sms_sudo = new_env["sms.sms"].sudo().browse(sms_ids).exists()
                if wizard:
                    wizard._sms_ovh_log_test(sms_sudo, invalid)

    def _sms_ovh_prepare_test_values(self, numbers, company):
        """Return the values of the test SMS to `numbers`."""
        mailing = self.mailing_id
        record = self.sms_ovh_resource_ref
        body = self._sms_ovh_render_test(record) if record else mailing.body_plaintext
        values_list, trace_values_list = [], []
        for number in numbers:
            uuid = uuid4().hex
            sms_body = body
            if mailing.sms_allow_unsubscribe and record:
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
                    # Tests go to one's own number: quiet hours do not hold them.
                    "sms_ovh_kind": "transactional",
                    "sms_ovh_sender_id": mailing.sms_ovh_sender_id.id,
                    "sms_ovh_stop_clause": mailing.sms_ovh_stop_clause,
                }
            )
        self.env["mailing.trace"].create(trace_values_list)
        return values_list

    def _sms_ovh_render_test(self, record):
        """Return the text that a recipient gets, as the campaign composes it.

        :raise UserError: if the text is empty, or a placeholder cannot be filled
        """
        mailing = self.mailing_id
        record.check_access("read")
        mailing._sms_ovh_check_estimable()
        # With the rights of the user who tests it.
        theirs = mailing._sms_ovh_as_sent(self.env.user)
        composer = theirs._sms_ovh_prepare_composer(record.ids)
        records = composer.env[record._name].browse(record.ids)
        with composer._sms_ovh_naming_failure(records):
            body = composer._prepare_body_values(records)[record.id]
        if is_blank(body):
            raise UserError(
                self.env._(
                    "The text is empty for %s, who will get nothing. Choose another"
                    " recipient, or correct the placeholders.",
                    record.display_name,
                )
            )
        return body

    def _sms_ovh_log_test(self, sms_sudo, invalid):
        """Log in the campaign's chatter what became of each test SMS."""
        lines = [
            self.env._(
                "Test SMS could not be sent to %(number)s: %(reason)s",
                number=sms.number,
                reason=sms.sms_ovh_failure_reason or sms.failure_type,
            )
            if sms.state == "error"
            else self.env._("Test SMS waiting to be sent to %s", sms.number)
            if sms.state in ("outgoing", "process")
            else self.env._("Test SMS sent to %s", sms.number)
            for sms in sms_sudo
        ]
        sentences = get_number_sentences(self.env)
        lines += [
            self.env._(
                "Test SMS skipped %(number)s: %(reason)s",
                number=number,
                reason=sentences[reason],
            )
            for number, reason in invalid.items()
        ]
        items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
        self.mailing_id._message_log(body=Markup("<ul>%s</ul>") % items)
