"""Who opted out gets nothing that was queued before."""

from collections import defaultdict
from datetime import timedelta

from odoo import models

# How long the transaction that read a STOP may take: it counts from its beginning.
STOP_MARGIN = timedelta(hours=1)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _sms_ovh_leave_out_blacklisted(self):
        """Cancel those of these SMS whose numbers are on Odoo's blacklist by now.

        So are those to numbers that seem to have asked to stop, until somebody decides.

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
            sms._sms_ovh_cancel_blacklisted(reason)
        return self - stopped.with_env(self.env)

    def _sms_ovh_cancel_blacklisted(self, failure_type="sms_blacklist"):
        """Cancel these SMS, in the queue or the outbox, and tell where they are shown."""
        self.write(
            {
                "state": "canceled",
                "failure_type": failure_type,
                "sms_ovh_job_id": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = (
            self.env["sms.tracker"]
            .sudo()
            .search([("sms_uuid", "in", self.mapped("uuid"))])
        )
        # Not by core's trackers: those never take back what is in process.
        traces = trackers_sudo.mailing_trace_id.filtered(
            lambda trace: trace.trace_status in ("outgoing", "process")
        )
        traces.write({"trace_status": "cancel", "failure_type": failure_type})
        # A campaign of which some are still to be made ready goes on.
        going_on = traces._read_group(
            [
                ("mass_mailing_id", "in", traces.mass_mailing_id.ids),
                ("trace_status", "=", "outgoing"),
            ],
            ["mass_mailing_id"],
        )
        ended = traces.mass_mailing_id - self.env["mailing.mailing"].union(
            *(mailing for (mailing,) in going_on)
        )
        trackers_sudo._update_sms_mailings(
            "cancel", traces.filtered(lambda trace: trace.mass_mailing_id in ended)
        )
        notifications = trackers_sudo.mail_notification_id.filtered(
            lambda notification: (
                notification.notification_status in ("ready", "process")
            )
        )
        notifications.write(
            {"notification_status": "canceled", "failure_type": failure_type}
        )
        notifications.mail_message_id._notify_message_notification_update()


class SmsOvhJob(models.Model):
    _inherit = "sms.ovh.job"

    def _leave_out_stopped(self):
        """Take who opted out since these jobs were made ready out of them.

        One query that finds nobody is all that it costs most of the time: who had opted
        out before is in no job.

        :return: those of these jobs that still have a receiver
        """
        heeding = self.filtered(
            lambda job: (
                job.mailing_id.use_exclusion_list
                if job.mailing_id
                else job.kind == "marketing"
            )
        )
        if not heeding:
            return self
        self.env["phone.blacklist"].flush_model(["number", "active", "write_date"])
        self.env["sms.ovh.reply"].flush_model(["held_number"])
        self.env.cr.execute(
            """
            SELECT held_number, 'sms_ovh_seems_stop' FROM sms_ovh_reply
             WHERE held_number IS NOT NULL
             UNION ALL
            SELECT number, 'sms_blacklist' FROM phone_blacklist
             WHERE active AND write_date >= %s
            """,
            [min(heeding.mapped("create_date")) - STOP_MARGIN],
        )
        stopped = dict(self.env.cr.fetchall())
        if not stopped:
            return self
        uuids = defaultdict(list)
        empty = self.browse()
        for job in heeding:
            kept = [pair for pair in job.receivers if pair[1] not in stopped]
            if len(kept) == len(job.receivers):
                continue
            for uuid, number in job.receivers:
                if number in stopped:
                    uuids[stopped[number]].append(uuid)
            values = {"receivers": kept, "receiver_count": len(kept)}
            if not kept:
                empty |= job
                values.update(state="cancelled", next_attempt=False)
            job.write(values)
        for reason, stopped_uuids in uuids.items():
            # sudo: SMS of any user.
            self.env["sms.sms"].sudo().search(
                [("uuid", "in", stopped_uuids)]
            )._sms_ovh_cancel_blacklisted(reason)
        return self - empty
