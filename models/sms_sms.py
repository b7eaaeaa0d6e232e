from odoo import api, fields, models

from .. import const
from ..tools.sms_api import SmsApiOvh

# SMS read from the queue at a time, so that equal texts meet in one job: a multiple
# of the receivers of a job.
QUEUE_BATCH_SIZE = 10 * const.MAX_RECEIVERS_PER_JOB
QUEUE_DOMAIN = [("state", "=", "outgoing"), ("to_delete", "!=", True)]


class SmsSms(models.Model):
    _name = "sms.sms"
    _inherit = ["sms.sms", "sms.ovh.counter.mixin"]

    # `sms_twilio` declares the same field; where both are installed they are one.
    record_company_id = fields.Many2one(
        "res.company", string="Company", ondelete="set null"
    )
    failure_type = fields.Selection(
        selection_add=[
            # What a delivery report can say, which core only has on notifications.
            ("sms_expired", "Expired"),
            ("sms_invalid_destination", "Invalid Destination"),
            ("sms_not_allowed", "Not Allowed"),
            ("sms_not_delivered", "Not Delivered"),
            ("sms_rejected", "Rejected"),
            *const.FAILURE_TYPES,
        ],
    )
    sms_ovh_account_id = fields.Many2one(
        "sms.ovh.account",
        string="OVHcloud Account",
        ondelete="set null",
        readonly=True,
        copy=False,
        help="The account that this SMS was sent with.",
    )
    sms_ovh_job_id = fields.Many2one(
        "sms.ovh.job",
        string="OVHcloud Job",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        copy=False,
    )
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        readonly=True,
        help="OVHcloud adds the STOP clause to this SMS.",
    )
    sms_encoding = fields.Selection(
        compute="_compute_sms_segments", store=True, precompute=True
    )
    sms_units = fields.Integer(
        compute="_compute_sms_segments", store=True, precompute=True
    )
    sms_segments = fields.Integer(
        compute="_compute_sms_segments", store=True, precompute=True
    )
    sms_ovh_id = fields.Char(
        string="OVHcloud's SMS ID", index="btree_not_null", readonly=True, copy=False
    )
    sms_ovh_ptt = fields.Integer(string="PTT", readonly=True, copy=False)
    sms_ovh_failure_reason = fields.Char(
        string="Failure Reason", readonly=True, copy=False
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to keep which company sends, and whether with the STOP clause.

        In the queue the environment's company is the cron's, so it has to be known from
        the start.
        """
        # sudo: the company and the clause of what is sent, whoever sends it.
        mailings = self.env["mailing.mailing"].sudo().browse(
            {vals["mailing_id"] for vals in vals_list if vals.get("mailing_id")}
        )
        mailings.fetch(["sms_ovh_company_id", "sms_ovh_stop_clause"])
        messages = self.env["mail.message"].sudo().browse(
            {vals["mail_message_id"] for vals in vals_list if vals.get("mail_message_id")}
        )
        messages.fetch(["record_company_id"])
        for vals in vals_list:
            mailing = mailings.browse(vals.get("mailing_id") or [])
            message = messages.browse(vals.get("mail_message_id") or [])
            company = (
                mailing.sms_ovh_company_id
                or self.env["res.company"].browse(vals.get("record_company_id") or [])
                or message.record_company_id
                or self.env.company
            )
            vals["record_company_id"] = company.id
            if mailing:
                vals["sms_ovh_stop_clause"] = mailing.sms_ovh_stop_counted
        return super().create(vals_list)

    # ------------------------------------------------------------
    # What it counts
    # ------------------------------------------------------------

    @api.depends("record_company_id.sms_ovh_account_id")
    @api.depends_context("company")
    def _compute_sms_ovh_in_use(self):
        for sms in self:
            company = sms.record_company_id or self.env.company
            sms.sms_ovh_in_use = company.sms_ovh_account_id

    @api.depends("sms_ovh_stop_clause")
    def _compute_sms_ovh_stop_counted(self):
        for sms in self:
            sms.sms_ovh_stop_counted = sms.sms_ovh_stop_clause

    @api.depends("body", "sms_ovh_stop_clause")
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    # ------------------------------------------------------------
    # Which account sends
    # ------------------------------------------------------------

    def _get_sms_company(self):
        """Override of `sms` to go by the company that was known on creation."""
        without = self.filtered(lambda sms: not sms.record_company_id)
        companies = (self - without).record_company_id
        if without or not self:
            companies |= super(SmsSms, without)._get_sms_company()
        return companies

    def _split_by_api(self):
        """Override of `sms` to send each SMS by the account of its company."""
        by_account = {}
        others = self.browse()
        by_company = self.grouped(lambda sms: sms._get_sms_company())
        for company, company_sms in by_company.items():
            # sudo: who may send an SMS need not be allowed to see the account.
            account = company.sudo().sms_ovh_account_id
            if account:
                by_account[account] = by_account.get(account, self.browse()) | company_sms
            else:
                others |= company_sms
        for account, account_sms in by_account.items():
            for clause, sms in account_sms.grouped("sms_ovh_stop_clause").items():
                yield SmsApiOvh(self.env, account=account, stop_clause=clause), sms
        if others:
            yield from super(SmsSms, others)._split_by_api()

    def _sms_ovh_split(self):
        """Return the SMS of companies that send through OVHcloud, and the others."""
        # sudo: who may send an SMS need not be allowed to see the account.
        ovh_sms = self.filtered(
            lambda sms: sms._get_sms_company().sudo().sms_ovh_account_id
        )
        return ovh_sms, self - ovh_sms

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms` to send by way of the outbox, after the commit.

        Nothing is posted inside the caller's transaction: if it is rolled back, nobody
        got an SMS that Odoo knows nothing of.
        """
        ovh_sms, others = self._sms_ovh_split()
        if others:
            super(SmsSms, others).send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )
        ovh_sms = ovh_sms.try_lock_for_update(allow_referencing=True)
        ovh_sms._sms_ovh_claim()._dispatch_after_commit()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms` for who skips `send`: the outbox is the only way out."""
        ovh_sms, others = self._sms_ovh_split()
        ovh_sms._sms_ovh_claim()._dispatch_after_commit()
        if others:
            return super(SmsSms, others)._send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )

    def _sms_ovh_claim(self):
        """Put those of these SMS that are still queued into jobs of the outbox.

        :return: the new `sms.ovh.job`
        """
        return self.env["sms.ovh.job"]._claim(self.filtered_domain(QUEUE_DOMAIN))

    def _sms_ovh_claim_for_cron(self):
        """Put queued SMS into jobs.

        :return: whether somebody else posts them: OCA's `queue_job`
        :rtype: bool
        """
        ovh_sms = self._sms_ovh_split()[0].try_lock_for_update(allow_referencing=True)
        return ovh_sms._sms_ovh_claim()._delay()

    @api.model
    def _process_queue(self):
        """Override of `sms` to split the queue by company, which core does not.

        Core sends the whole queue with one provider: with two companies in it that
        raises, and one that is not the environment's is sent from the wrong account.
        Here what OVHcloud sends goes to the outbox, a slice at a time and committed
        before anything is posted, and the rest to its own providers.
        """
        Job = self.env["sms.ovh.job"]
        last_id = 0
        while True:
            domain = [*QUEUE_DOMAIN, ("id", ">", last_id)]
            queue = self.search(domain, order="id", limit=QUEUE_BATCH_SIZE)
            if not queue:
                break
            last_id = queue[-1].id
            delayed = Job._transact(lambda queue=queue: queue._sms_ovh_claim_for_cron())
            if not delayed and Job._dispatch():
                # So that the SMS left are those after this queue.
                self.env.ref("sms_ovh.ir_cron_synchronise")._trigger()
            for sms_api, sms in queue._sms_ovh_split()[1]._split_by_api():
                for batch_ids in sms._split_batch():
                    batch = self.browse(batch_ids).try_lock_for_update()
                    batch.filtered_domain(QUEUE_DOMAIN).with_context(
                        sms_api=sms_api
                    )._send(unlink_failed=False, unlink_sent=True)
                    self.env.cr.commit()  # what this batch sent is sent
            remaining = self.search_count(
                [*QUEUE_DOMAIN, ("id", ">", last_id)], limit=QUEUE_BATCH_SIZE
            )
            # Nothing of a slice is needed for the next: memory stays flat.
            self.env.invalidate_all()
            if not self.env["ir.cron"]._commit_progress(
                len(queue), remaining=remaining
            ):
                break

    # ------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_apply_results(self, results, account=None):
        """Write down what became of SMS on them, their notifications and traces.

        :param list results: dicts as :meth:`SmsApiOvh._send_sms_batch` returns them
        :param account: `sms.ovh.account` that answered, none if it was never asked
        """
        by_uuid = {result["uuid"]: result for result in results}
        uuids = list(by_uuid)
        # The chatter is told once, at the end.
        self = self.with_context(sms_skip_msg_notification=True)
        sms_all = self.search([("uuid", "in", uuids), ("state", "!=", "sent")])
        # sudo: trackers are technical records without access of their own.
        trackers = self.env["sms.tracker"].sudo().search([("sms_uuid", "in", uuids)])

        def outcome(uuid):
            return by_uuid[uuid]["state"], by_uuid[uuid]["failure_reason"]

        trackers_by_outcome = trackers.grouped(lambda tracker: outcome(tracker.sms_uuid))
        for (state, reason), sms in sms_all.grouped(
            lambda sms: outcome(sms.uuid)
        ).items():
            values = {
                "sms_ovh_account_id": account and account.id,
                "sms_ovh_failure_reason": reason,
            }
            if state == "success":
                values.update(state="pending", failure_type=False, to_delete=True)
            else:
                values.update(
                    state="error",
                    failure_type=SmsApiOvh.PROVIDER_TO_SMS_FAILURE_TYPE.get(
                        state, "unknown"
                    ),
                )
            sms.write(values)
        for sms in sms_all:
            sms.sms_ovh_id = by_uuid[sms.uuid].get("sms_ovh_id")
        for tracker in trackers:
            tracker.sms_ovh_id = by_uuid[tracker.sms_uuid].get("sms_ovh_id")
        trackers.sms_ovh_account_id = account
        for (state, reason), group in trackers_by_outcome.items():
            group._sms_ovh_apply_result(state, reason)
        sms_all.mail_message_id._notify_message_notification_update()
        if account:
            # Reports that came before their SMS was known can be treated now.
            self.env.ref("sms_ovh.ir_cron_process_events").sudo()._trigger()

    def _sms_ovh_update(self, state, failure_type, failure_reason, ptt):
        """Move these SMS forward to what a delivery report says.

        :param str state: state that the report means
        :param str|bool failure_type: why, where it is an error
        :param str|bool failure_reason: OVHcloud's words on it
        :param int ptt: OVHcloud's code
        :return: the SMS that moved
        """
        rank = const.STATE_RANK[state]
        moved = self.filtered(lambda sms: const.STATE_RANK[sms.state] < rank)
        moved.write(
            {
                "state": state,
                "failure_type": failure_type,
                "sms_ovh_failure_reason": failure_reason,
                "sms_ovh_ptt": ptt,
            }
        )
        return moved

    def resend_failed(self):
        """Override of `sms` to tell how many are sent again: core counts others."""
        ovh_sms, others = self._sms_ovh_split()
        if others:
            return super().resend_failed()
        failed = ovh_sms.filtered(lambda sms: sms.state == "error" and not sms.to_delete)
        failed.action_set_outgoing()
        failed.send()
        refused = failed.filtered(lambda sms: sms.state == "error")
        if not failed:
            kind, message = "danger", self.env._("There are no failed SMS to resend.")
        elif refused:
            kind = "warning"
            message = self.env._(
                "%(sent)s of %(total)s SMS are sent again. Open the others to see what"
                " to correct.",
                sent=len(failed) - len(refused),
                total=len(failed),
            )
        else:
            kind = "success"
            message = self.env._("%s SMS are sent again.", len(failed))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
