from odoo import api, fields, models
from odoo.tools import split_every

from .. import const
from ..tools.sms_api import SmsApiOvh

# SMS read from the queue at a time, so that equal texts meet in one job: a multiple
# of the receivers of a job.
QUEUE_BATCH_SIZE = 10 * const.MAX_RECEIVERS_PER_JOB


class SmsSms(models.Model):
    _inherit = "sms.sms"

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
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        readonly=True,
        help="OVHcloud adds the STOP clause to this SMS.",
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
                vals["sms_ovh_stop_clause"] = mailing.sms_ovh_stop_clause
        return super().create(vals_list)

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

    def _split_batch(self):
        """Override of `sms` to keep equal texts together: one job takes them all.

        Batches hold as many SMS as a job has receivers; a text with more receivers gets
        batches of its own, and those with fewer share one.
        """
        companies = self._get_sms_company()
        if not companies.sudo().sms_ovh_account_id:
            yield from super()._split_batch()
            return
        size = const.MAX_RECEIVERS_PER_JOB
        shared = []
        for sms in self.grouped("body").values():
            for ids in split_every(size, sms.ids):
                if len(ids) == size:
                    yield list(ids)
                    continue
                if len(shared) + len(ids) > size:
                    yield shared
                    shared = []
                shared = shared + list(ids)
        if shared:
            yield shared

    # ------------------------------------------------------------
    # The queue
    # ------------------------------------------------------------

    @api.model
    def _process_queue(self):
        """Override of `sms` to split the queue by company, which core does not.

        Core sends the whole queue with one provider: with two companies in it that
        raises, and one that is not the environment's is sent from the wrong account.
        Here every batch is locked, sent and committed on its own.
        """
        domain = [("state", "=", "outgoing"), ("to_delete", "!=", True)]
        last_id = 0
        while True:
            queue = self.search(
                [*domain, ("id", ">", last_id)], order="id", limit=QUEUE_BATCH_SIZE
            )
            if not queue:
                return
            last_id = queue[-1].id
            for sms_api, sms in queue._split_by_api():
                for batch_ids in sms._split_batch():
                    batch = self.browse(batch_ids).try_lock_for_update()
                    # Another worker may have sent some since they were read.
                    batch.invalidate_recordset(["state", "to_delete"])
                    batch = batch.filtered_domain(domain)
                    if batch:
                        batch.with_context(sms_api=sms_api)._send(
                            unlink_failed=False, unlink_sent=True, raise_exception=False
                        )
                    remaining = self.search_count(domain, limit=QUEUE_BATCH_SIZE)
                    if not self.env["ir.cron"]._commit_progress(
                        len(batch), remaining=remaining
                    ):
                        return

    # ------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------

    def _handle_call_result_hook(self, results):
        """Override of `sms` to keep OVHcloud's ids, by which reports come back."""
        by_uuid = self.grouped("uuid")
        accepted = self.browse()
        for result in results:
            sms = by_uuid.get(result["uuid"])
            if not sms or "failure_reason" not in result:
                continue
            account = sms.record_company_id.sudo().sms_ovh_account_id
            if not account:
                continue
            sms.sms_ovh_account_id = account
            sms.sms_ovh_failure_reason = result["failure_reason"]
            sms.sms_ovh_id = result.get("sms_ovh_id")
            if sms.sms_ovh_id:
                accepted |= sms
        for sms in accepted:
            # sudo: trackers are technical records without access of their own.
            sms.sms_tracker_id.sudo().write(
                {
                    "sms_ovh_account_id": sms.sms_ovh_account_id.id,
                    "sms_ovh_id": sms.sms_ovh_id,
                }
            )
        if accepted:
            # Reports that came before their SMS was known can be treated now.
            self.env.ref("sms_ovh.ir_cron_process_events").sudo()._trigger()
        return super()._handle_call_result_hook(results)

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
        """Override of `sms` to tell how many left: core counts deleted records."""
        ovh_sms = self.filtered(
            lambda sms: sms._get_sms_company().sudo().sms_ovh_account_id
        )
        others = self - ovh_sms
        if others:
            return super().resend_failed()
        failed = ovh_sms.filtered(lambda sms: sms.state == "error" and not sms.to_delete)
        failed.action_set_outgoing()
        failed.send()
        sent = failed.filtered(lambda sms: sms.state != "error")
        if not failed:
            kind, message = "danger", self.env._("There are no failed SMS to resend.")
        elif len(sent) == len(failed):
            kind, message = (
                "success",
                self.env._("%s SMS sent again.", len(sent)),
            )
        else:
            kind, message = (
                "warning",
                self.env._(
                    "%(sent)s of %(total)s SMS sent again. Open the others to see why"
                    " they failed.",
                    sent=len(sent),
                    total=len(failed),
                ),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
