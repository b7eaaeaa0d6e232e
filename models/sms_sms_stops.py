"""Who opted out gets nothing that was queued before."""

from datetime import timedelta

from odoo import models

# How long the transaction that wrote an opt-out may take: it counts from its beginning.
STOP_MARGIN = timedelta(hours=1)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _sms_ovh_leave_out_stopped(self):
        """Cancel those of these SMS whose recipients opted out since they were queued.

        :return: the others
        """
        left = self._sms_ovh_leave_out_blacklisted()
        return left._sms_ovh_leave_out_opted_out()

    def _sms_ovh_leave_out_blacklisted(self):
        """Cancel those of these SMS whose numbers are on Odoo's blacklist by now.

        As in core, which looks when it composes: marketing SMS, and those of campaigns
        that heed the blacklist. What somebody writes on a record, or a reminder, goes
        out: it is no advertising.

        :return: the others
        """
        # sudo: what the campaign heeds, whoever sends.
        sms_sudo = self.sudo()
        groups = sms_sudo.grouped(
            lambda sms: (sms.record_company_id, sms.mailing_id or sms.sms_ovh_kind)
        )
        numbers = {}
        for (company, campaign), group in groups.items():
            if isinstance(campaign, models.BaseModel):
                heeding = campaign.use_exclusion_list
            else:
                heeding = campaign == "marketing"
            if heeding:
                countries = group._sms_ovh_get_record_countries()
                for sms in group:
                    numbers[sms.id] = company._clean_sms_ovh_number(
                        sms.number, countries.get(sms.id)
                    ).number
        reasons = self.env["sms.ovh.stop"]._find_stopped(set(numbers.values()))
        if not reasons:
            return self
        stopped = sms_sudo.filtered(lambda sms: numbers.get(sms.id) in reasons)
        for reason, sms in stopped.grouped(
            lambda sms: reasons[numbers[sms.id]]
        ).items():
            sms._sms_ovh_set_canceled(reason)
        return self - stopped.with_env(self.env)

    def _sms_ovh_leave_out_opted_out(self):
        """Cancel those of these SMS whose recipients left their campaign's lists.

        :return: the others
        """
        # sudo: recipients of a campaign, whoever sends it.
        sms_sudo = self.sudo()
        stopped = sms_sudo.browse()
        for mailing, group in sms_sudo.grouped("mailing_id").items():
            res_ids = mailing and mailing._find_sms_ovh_opted_out(
                min(group.mapped("create_date"))
            )
            if res_ids:
                stopped += group.filtered(
                    lambda sms, res_ids=res_ids: (
                        res_ids & set(sms.mailing_trace_ids.mapped("res_id"))
                    )
                )
        if not stopped:
            return self
        stopped._sms_ovh_set_canceled("sms_optout")
        return self - stopped.with_env(self.env)


class SmsOvhJob(models.Model):
    _inherit = "sms.ovh.job"

    def _leave_out_stopped(self):
        """Take out of these jobs whom nobody may send to any more.

        Those who opted out since the jobs were made ready, and those whose SMS somebody
        stopped while it was not known whether it had left. Queries that find nobody are
        all that it costs most of the time: who had opted out before is in no job.

        :return: those of these jobs that still have a receiver
        """
        reasons = self._find_stopped()
        # sudo: SMS of any user.
        Sms = self.env["sms.sms"].sudo()
        for failure_type in set(reasons.values()):
            uuids = {uuid for uuid, reason in reasons.items() if reason == failure_type}
            self._take_out(uuids)
            Sms._sms_ovh_set_canceled_uuids(uuids, failure_type)
        return self.filtered(lambda job: job.state == "queued")

    def _find_stopped(self):
        """Return whose SMS may not leave any more, and why.

        :return: failure type, False where somebody just stopped it, by UUID
        :rtype: dict[str, str|bool]
        """
        reasons = {
            uuid: False for job in self.filtered("withdrawn") for uuid in job.withdrawn
        }
        since = min(self.mapped("create_date"), default=None)
        heeding = self.filtered(
            lambda job: (
                job.mailing_id.use_exclusion_list
                if job.mailing_id
                else job.kind == "marketing"
            )
        )
        if heeding:
            stopped = self.env["sms.ovh.stop"]._find_stopped_since(since - STOP_MARGIN)
            reasons |= {
                uuid: stopped[number]
                for job in heeding
                if stopped
                for uuid, number in job.receivers
                if number in stopped
            }
        for mailing, jobs in self.grouped("mailing_id").items():
            res_ids = mailing and mailing._find_sms_ovh_opted_out(since)
            if not res_ids:
                continue
            trackers = self.env["sms.tracker"].search_fetch(
                [
                    ("mailing_trace_id.mass_mailing_id", "=", mailing.id),
                    ("mailing_trace_id.res_id", "in", list(res_ids)),
                ],
                ["sms_uuid"],
            )
            opted_out = set(trackers.mapped("sms_uuid"))
            reasons |= {
                uuid: "sms_optout"
                for job in jobs
                for uuid, __ in job.receivers
                if uuid in opted_out
            }
        return reasons
