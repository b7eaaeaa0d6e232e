import time
from contextlib import suppress
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import split_every

from .. import const
from ..tools import transaction
from ..tools.client_actions import notify
from ..tools.decision import Closed
from ..tools.job_pool import POST_WITHIN

# How long OVHcloud holds SMS back at most: from Friday night to Monday, with a margin.
HELD_WITHIN = timedelta(days=4)
# Trace statuses of SMS that OVHcloud got and nobody called back.
TRACE_SENT_STATUSES = ("pending", "sent", "open", "reply", "bounce")
# Seconds after which OVHcloud is asked again if it did not answer.
ASK_AGAIN = 300


class MailingMailing(models.Model):
    """Pausing a campaign, and calling back what has not left yet."""

    _inherit = "mailing.mailing"

    sms_ovh_paused = fields.Boolean(
        string="Paused",
        readonly=True,
        copy=False,
        help="What OVHcloud does not have yet waits until somebody resumes.",
    )
    sms_ovh_cancel_state = fields.Selection(
        [("cancelling", "Being Cancelled"), ("cancelled", "Cancelled")],
        string="Cancellation",
        readonly=True,
        copy=False,
    )
    sms_ovh_cancel_left = fields.Integer(
        string="Recipients Not Treated", readonly=True, copy=False
    )
    sms_ovh_can_cancel = fields.Boolean(
        string="Can Be Cancelled", compute="_compute_sms_ovh_can_cancel"
    )
    sms_ovh_cancel_summary = fields.Char(
        string="What Was Cancelled",
        compute="_compute_sms_ovh_cancel_summary",
        compute_sudo=True,
    )

    # Few are paused: sending looks up these, not all campaigns there ever were.
    _sms_ovh_paused_idx = models.Index("(id) WHERE sms_ovh_paused IS TRUE")

    _sms_ovh_cancelling_idx = models.Index(
        "(id) WHERE sms_ovh_cancel_state = 'cancelling'"
    )

    @api.depends("mailing_type", "sent_date", "sms_ovh_cancel_state", "state")
    def _compute_sms_ovh_can_cancel(self):
        """Allow it after sending, too, while OVHcloud may still hold some SMS."""
        now = fields.Datetime.now()
        self.sms_ovh_can_cancel = False
        for mailing in self.filtered(lambda mailing: mailing._sms_ovh_is_in_charge()):
            if mailing.mailing_type != "sms" or mailing.sms_ovh_cancel_state:
                continue
            mailing.sms_ovh_can_cancel = mailing.state == "sending" or (
                mailing.state == "done"
                and mailing.sent_date
                and mailing.sent_date > now - HELD_WITHIN
                and mailing.pending
            )

    @api.depends("sms_ovh_cancel_state")
    @api.depends_context("lang")
    def _compute_sms_ovh_cancel_summary(self):
        """Say in numbers what was cancelled, and what was already gone."""
        self.sms_ovh_cancel_summary = False
        for mailing in self.filtered("sms_ovh_cancel_state"):
            mailing.sms_ovh_cancel_summary = mailing._sms_ovh_get_cancel_summary()

    def _sms_ovh_get_cancel_summary(self):
        self.ensure_one()
        by_outcome = dict(
            self.env["sms.tracker"]._read_group(
                [
                    ("mailing_trace_id.mass_mailing_id", "=", self.id),
                    ("sms_ovh_cancel", "!=", False),
                ],
                ["sms_ovh_cancel"],
                ["__count"],
            )
        )
        here = by_outcome.get("here", 0)
        at_ovh = by_outcome.get("ovh", 0)
        asked = by_outcome.get("requested", 0) + by_outcome.get("deleting", 0)
        gone = self.env["mailing.trace"].search_count(
            [
                ("mass_mailing_id", "=", self.id),
                ("is_test_trace", "=", False),
                ("trace_status", "in", TRACE_SENT_STATUSES),
            ]
        )
        if self.sms_ovh_cancel_state == "cancelling":
            parts = [self.env._("This campaign is being cancelled.")]
        else:
            parts = [self.env._("This campaign was cancelled.")]
        if self.sms_ovh_cancel_left:
            parts.append(
                self.env._(
                    "Recipients who get none: %s.", self.sms_ovh_cancel_left + here
                )
            )
        elif here:
            parts.append(
                self.env._("SMS cancelled before OVHcloud got them: %s.", here)
            )
        if at_ovh:
            parts.append(self.env._("Cancelled at OVHcloud: %s.", at_ovh))
        if asked:
            parts.append(self.env._("OVHcloud is asked about: %s.", asked))
        if gone - asked:
            parts.append(self.env._("Already gone: %s.", max(gone - asked, 0)))
        elif not asked:
            parts.append(self.env._("Nobody got it."))
        return " ".join(parts)

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_cancel(self):
        """Override of `mass_mailing` to call back what is already composed.

        A campaign that becomes a draft again is no longer paused.
        """
        composed = self.filtered(
            lambda mailing: (
                mailing.mailing_type == "sms"
                and mailing.sms_ovh_composed_count
                and mailing.state == "in_queue"
            )
        )
        others = self - composed
        others.check_access("write")
        # sudo: this field is never written by hand.
        others.filtered("sms_ovh_paused").sudo().sms_ovh_paused = False
        result = super(MailingMailing, others).action_cancel()
        return composed.action_sms_ovh_cancel() if composed else result

    def action_sms_ovh_cancel(self):
        """Cancel what has not left: a first slice at once, the rest in the background.

        Once this is committed, no more of the campaign is composed, claimed or posted.
        """
        self.check_access("write")
        mailings = self.filtered(
            lambda mailing: (
                mailing._sms_ovh_is_in_charge()
                and not mailing.sms_ovh_cancel_state
                and mailing.state in ("in_queue", "sending", "done")
            )
        )
        for mailing in mailings:
            left = 0
            if mailing.state != "done":
                # Whatever became of its author: cancelling is always possible.
                with suppress(AccessError):
                    left = mailing._sms_ovh_count_recipients()
                left = max(left - mailing.sms_ovh_composed_count, 0)
            # sudo: SMS, jobs and trackers of the campaign, for users who may send it.
            mailing_sudo = mailing.sudo()
            mailing_sudo.write(
                {
                    "sms_ovh_cancel_state": "cancelling",
                    "sms_ovh_cancel_left": left,
                    "sms_ovh_paused": True,
                }
            )
            mailing_sudo._sms_ovh_cancel_slice()
        if mailings:
            self.env.ref("sms_ovh.ir_cron_cancel").sudo()._trigger()
        self.invalidate_recordset(["sms_ovh_cancel_summary"])
        summaries = [text for text in self.mapped("sms_ovh_cancel_summary") if text]
        if not summaries:
            return None
        return notify(" ".join(summaries), "info")

    def action_sms_ovh_pause(self):
        """Hold what is not posted or not even composed yet."""
        self.check_access("write")
        # sudo: this field is never written by hand.
        self.filtered(
            lambda mailing: (
                mailing._sms_ovh_is_in_charge()
                and mailing.state in ("in_queue", "sending")
            )
        ).sudo().sms_ovh_paused = True

    def action_sms_ovh_resume(self):
        """Continue where the campaign was paused."""
        self.check_access("write")
        # A campaign that is being cancelled does not resume.
        paused = self.filtered(
            lambda mailing: (
                mailing.sms_ovh_paused and mailing.sms_ovh_cancel_state != "cancelling"
            )
        )
        if not paused:
            return
        # sudo: this field is never written by hand.
        paused.sudo().sms_ovh_paused = False
        paused._sms_ovh_trigger_crons()

    def _sms_ovh_trigger_crons(self):
        """Trigger all that sends a campaign: composing, the queue, the outbox."""
        for xmlid in (
            "mass_mailing.ir_cron_mass_mailing_queue",
            "sms.ir_cron_sms_scheduler_action",
            "sms_ovh.ir_cron_post_jobs",
        ):
            # sudo: campaign users need no rights on scheduled actions.
            self.env.ref(xmlid).sudo()._trigger()

    def _sms_ovh_is_stopped(self):
        """Return whether composing and sending this campaign are on hold."""
        self.ensure_one()
        return self.sms_ovh_paused

    def _sms_ovh_is_in_charge(self):
        """Return whether OVHcloud sends this campaign, or has some of its SMS.

        Those SMS stay with OVHcloud, whatever the company sends with by now.
        """
        self.ensure_one()
        return bool(self.sms_ovh_account_id or self.sms_ovh_composed_count)

    @api.ondelete(at_uninstall=False)
    def _unlink_close_sms_ovh(self):
        """Close the open SMS of a campaign that is deleted."""
        # sudo: SMS of a campaign that the user may delete.
        self.sudo().filtered(
            lambda mailing: (
                mailing.mailing_type == "sms" and mailing._sms_ovh_is_in_charge()
            )
        )._sms_ovh_close_all()

    def _sms_ovh_close_all(self):
        """Stop all SMS of these campaigns that may still leave, as they are deleted."""
        if not self:
            return
        # Traces are deleted too, and with them the trackers of their SMS. OVHcloud is
        # still asked about what it holds.
        recent = fields.Datetime.now() - HELD_WITHIN
        for mailing in self:
            if not mailing.sent_date or mailing.sent_date > recent:
                mailing._sms_ovh_request_cancel()
        trackers = self.env["sms.tracker"].search(
            [
                ("mailing_trace_id.mass_mailing_id", "in", self.ids),
                ("sms_ovh_cancel", "in", ("requested", "deleting")),
            ]
        )
        asked = len(trackers)
        trackers.mailing_trace_id = False
        if asked:
            self.env.ref("sms_ovh.ir_cron_cancel").sudo()._trigger()
        open_ids = (
            self.env["sms.sms"]
            .search(
                [
                    ("mailing_id", "in", self.ids),
                    ("state", "in", ("outgoing", "process")),
                ]
            )
            .ids
        )
        here = 0
        for ids in split_every(const.CANCEL_SLICE, open_ids):
            closed = self.env["sms.sms"].browse(ids)._sms_ovh_close()
            here += closed.here
            asked += closed.asked
        self.env["sms.sms"]._sms_ovh_tell_closed(
            Closed(here, asked), max(len(open_ids), here + asked)
        )

    # ------------------------------------------------------------
    # A slice at a time
    # ------------------------------------------------------------

    def _sms_ovh_cancel_slice(self):
        """Cancel the next SMS of a campaign, those closest to leaving last.

        :return: "more" if some are left, "wait" if some are being posted, else "done"
        :rtype: str
        """
        self.ensure_one()
        queued = self.env["sms.sms"].search(
            [("mailing_id", "=", self.id), ("state", "=", "outgoing")],
            limit=const.CANCEL_SLICE,
        )
        if queued:
            return "more" if queued._sms_ovh_close().here else "wait"
        jobs = self.env["sms.ovh.job"].search_fetch(
            [("mailing_id", "=", self.id), ("state", "=", "queued")],
            ["receivers", "state"],
            limit=const.CANCEL_SLICE,
        )
        if jobs:
            return "more" if self._sms_ovh_cancel_jobs(jobs) else "wait"
        if self.env["sms.ovh.job"].search_count(
            [("mailing_id", "=", self.id), ("state", "in", ("posting", "unknown"))],
            limit=1,
        ):
            return "wait"
        self._sms_ovh_request_cancel()
        self.sms_ovh_paused = False
        values = {"sms_ovh_cancel_state": "cancelled", "sms_ovh_composing": False}
        if self.state != "done":
            values.update(state="done", sent_date=fields.Datetime.now())
        self.write(values)
        return "done"

    def _sms_ovh_cancel_jobs(self, jobs):
        """Cancel the SMS of jobs in the outbox, as many as fit into a slice.

        :param jobs: queued `sms.ovh.job`
        :return: the jobs that are cancelled
        """
        chosen = jobs.browse()
        room = const.CANCEL_SLICE
        for job in jobs:
            if room <= 0:
                break
            room -= len(job.receivers)
            chosen += job
        chosen = chosen.try_lock_for_update(allow_referencing=True).filtered(
            lambda job: job.state == "queued"
        )
        uuids = {uuid for job in chosen for uuid, __ in job.receivers}
        sms = self.env["sms.sms"].search([("uuid", "in", list(uuids))])
        chosen._take_out(uuids)
        sms._sms_ovh_set_canceled()
        return chosen

    def _sms_ovh_request_cancel(self):
        """Request to cancel all SMS of the campaign that OVHcloud may still hold."""
        self.ensure_one()
        trackers = self.env["sms.tracker"].search(
            [
                ("mailing_trace_id.mass_mailing_id", "=", self.id),
                ("mailing_trace_id.trace_status", "=", "pending"),
                ("sms_ovh_id", "!=", False),
                ("sms_ovh_cancel", "=", False),
                ("sms_ovh_account_id.auth_method", "!=", "http2sms"),
            ]
        )
        trackers.sms_ovh_cancel = "requested"

    @api.model
    def _cron_sms_ovh_cancel(self):
        """Continue what users cancelled: campaigns here, then SMS at OVHcloud."""
        deadline = time.monotonic() + const.CRON_SECONDS
        mailings = self.with_context(active_test=False).search(
            [("sms_ovh_cancel_state", "=", "cancelling")]
        )
        again_in = None
        for mailing in mailings:
            outcome = "more"
            while outcome == "more" and time.monotonic() < deadline:
                outcome = transaction.transact(self.env, mailing._sms_ovh_cancel_slice)
                self.env["ir.cron"]._commit_progress(1)
            if outcome == "wait":
                again_in = POST_WITHIN
            elif outcome == "more":
                again_in = 0
        if not self.env["sms.tracker"]._sms_ovh_cancel_due(deadline):
            late = time.monotonic() > deadline
            again_in = min(ASK_AGAIN if again_in is None else again_in, ASK_AGAIN)
            again_in = 0 if late else again_in
        if again_in is not None:
            moment = fields.Datetime.now() + timedelta(seconds=again_in)
            self.env.ref("sms_ovh.ir_cron_cancel")._trigger(moment)
