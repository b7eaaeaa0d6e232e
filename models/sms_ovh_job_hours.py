from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import job_pool


class SmsOvhJob(models.Model):
    """When a job is posted: marketing never in the quiet hours of its receivers."""

    _inherit = "sms.ovh.job"

    country_code = fields.Char(
        string="Country",
        readonly=True,
        help="Whose quiet hours this job keeps: all its receivers are in this country.",
    )

    def _hold_closed(self):
        """Have those of these jobs wait that may not be posted now, and all like them.

        :return: whether there are any
        :rtype: bool
        """
        marketing = self.filtered(lambda job: job.kind == "marketing")
        now = fields.Datetime.now()
        # A thread may post it as late as that.
        latest = now + timedelta(seconds=job_pool.POST_WITHIN)
        held = False
        for account, country_code in {
            (job.account_id, job.country_code) for job in marketing
        }:
            company = account.company_id
            opening = company._get_sms_ovh_opening(now, country_code)
            if opening == now:
                opening = company._get_sms_ovh_opening(latest, country_code)
                if opening == latest:
                    continue
            held = True
            self._hold(account, country_code, opening)
        return held

    @api.model
    def _hold(self, account, country_code, opening):
        """Have all queued marketing jobs to a country wait.

        :param account: `sms.ovh.account`
        :param str|bool country_code: as the jobs have it
        :param datetime opening: in UTC
        """
        self.flush_model()
        # In SQL: each text of a campaign with placeholders is a job of its own.
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_job
                   SET next_attempt = %(opening)s
                 WHERE id IN (
                           SELECT id
                             FROM sms_ovh_job
                            WHERE state = 'queued' AND kind = 'marketing'
                              AND account_id = %(account)s
                              AND country_code IS NOT DISTINCT FROM %(country)s
                              AND (next_attempt IS NULL OR next_attempt < %(opening)s)
                       FOR NO KEY UPDATE SKIP LOCKED
                       )
             RETURNING id
                """,
                opening=opening,
                account=account.id,
                country=country_code or None,
            )
        )
        self.invalidate_model(["next_attempt"], flush=False)
        self._trigger_at("sms_ovh.ir_cron_post_jobs", [opening])

    @api.model
    def _release(self, companies):
        """Let the jobs that wait be looked at again.

        :param companies: `res.company` whose hours changed
        """
        # sudo: the outbox is nobody's to write but the gateway's.
        waiting_sudo = self.sudo().search(
            [
                ("state", "=", "queued"),
                ("kind", "=", "marketing"),
                ("next_attempt", ">", fields.Datetime.now()),
                ("account_id.company_id", "in", companies.ids),
            ]
        )
        if waiting_sudo:
            waiting_sudo.next_attempt = False
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    @api.model
    def _trigger_at(self, xmlid, moments):
        """Have a cron run at moments to come, once at each, whoever else asks for it.

        :param str xmlid: of the `ir.cron`
        :param moments: datetimes in UTC
        """
        # sudo: whoever sends need not have rights on scheduled actions.
        cron_sudo = self.env.ref(xmlid).sudo()
        known = (
            self.env["ir.cron.trigger"]
            .sudo()
            .search_fetch(
                [("cron_id", "=", cron_sudo.id), ("call_at", "in", list(moments))],
                ["call_at"],
            )
        )
        moments = set(moments) - set(known.mapped("call_at"))
        if moments:
            cron_sudo._trigger(sorted(moments))
