"""Calling SMS back: before OVHcloud takes them, and there where it holds them."""

from odoo import SUPERUSER_ID, api, models

from ..tools.client_actions import notify
from ..tools.decision import Closed


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def action_set_canceled(self):
        """Override of `sms` to take SMS out of the outbox, or back from OVHcloud."""
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split_closing()
        if others:
            super(SmsSms, others).action_set_canceled()
        if not ovh_sms:
            return None
        closed = ovh_sms._sms_ovh_close()
        return self._sms_ovh_notify_cancel(closed, len(ovh_sms))

    def action_set_outgoing(self):
        """Override of `sms`: who retries wants it at once, whatever was before.

        What is in the outbox, or has left, is not sent a second time.
        """
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split_closing()
        if not ovh_sms:
            return super().action_set_outgoing()
        again = ovh_sms.filtered(
            lambda sms: sms.state in ("outgoing", "error", "canceled")
        )
        # sudo: only the gateway writes this.
        again_sudo = again.sudo()
        if self.env.uid != SUPERUSER_ID:
            # Now it is this user who asks.
            again_sudo.filtered(
                lambda sms: not sms.mailing_id
            ).sms_ovh_asker_id = self.env.uid
        again_sudo.write(
            {
                "sms_ovh_send_at": False,
                "sms_ovh_wanted_at": False,
                "sms_ovh_job_id": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [
                ("sms_uuid", "in", again.mapped("uuid")),
                ("sms_ovh_cancel", "!=", False),
            ]
        ).sms_ovh_cancel = False
        return super(SmsSms, again + others).action_set_outgoing()

    @api.ondelete(at_uninstall=False)
    def _unlink_close_sms_ovh(self):
        """Close what is deleted before it left."""
        ovh_sms, __ = self._sms_ovh_split_closing()
        open_sms = ovh_sms.filtered(
            lambda sms: sms.state in ("outgoing", "process", "pending")
        )
        if open_sms:
            closed = open_sms._sms_ovh_close()
            self.env["sms.sms"]._sms_ovh_tell_closed(closed, len(open_sms))

    @api.model
    def _sms_ovh_close_of(self, records):
        """Close what was to leave to contacts that are deleted.

        :param records: of any model that SMS are sent to
        """
        # sudo: SMS of any user, to contacts that this one may delete.
        Sms, Trace = self.sudo(), self.env["mailing.trace"].sudo()
        traces = Trace.search(
            [
                ("trace_type", "=", "sms"),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
                ("trace_status", "in", ("outgoing", "process", "pending")),
            ]
        )
        domain = [("id", "in", traces.mapped("sms_id_int"))]
        if records._name == "res.partner":
            domain = ["|", ("partner_id", "in", records.ids), *domain]
        sms = Sms.search([("state", "in", ("outgoing", "process", "pending")), *domain])
        ovh_sms, __ = sms._sms_ovh_split_closing()
        if ovh_sms:
            self._sms_ovh_tell_closed(ovh_sms._sms_ovh_close(), len(ovh_sms))

    def _sms_ovh_split_closing(self):
        """Return the SMS that OVHcloud sends, or has in hand already, and the others.

        Those stay its own whatever their company sends with by now.
        """
        ovh_sms, others = self._sms_ovh_split()
        in_hand = others.filtered(
            lambda sms: sms.sms_ovh_job_id or sms.sms_ovh_account_id
        )
        return ovh_sms + in_hand, others - in_hand

    # ------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------

    def _sms_ovh_close(self, failure_type=False, recall=True):
        """Close these SMS, wherever they stand. The one way to do so.

        In the queue, and in the outbox before it is posted, an SMS is cancelled. While
        nobody knows whether it has left, it is withdrawn: it is not posted again, and
        called back once OVHcloud turns out to have it. OVHcloud is asked to cancel what
        it may hold. What another transaction has in hand is being sent.

        :param str|bool failure_type: why, where somebody else than a user stopped it
        :param bool recall: whether OVHcloud is asked to cancel what it has
        :return: what became of how many
        :rtype: Closed
        """
        sms = self.try_lock_for_update(allow_referencing=True)
        waiting = sms.filtered(
            lambda record: (
                record.state in ("outgoing", "error") and not record.to_delete
            )
        )
        # sudo: the outbox is nobody's to write but the gateway's.
        claimed = sms.filtered(lambda record: record.state == "process")
        jobs_sudo = claimed.sudo().sms_ovh_job_id.try_lock_for_update(
            allow_referencing=True
        )
        uuids = set(claimed.mapped("uuid"))
        taken_out = jobs_sudo._take_out(uuids)
        # What is being posted this moment is on its way, most likely.
        withdrawn = jobs_sudo._withdraw(uuids - taken_out)
        # Its job is gone: nobody sends it, nor says what became of it.
        orphans = claimed.filtered(lambda record: not record.sudo().sms_ovh_job_id)
        waiting += claimed.filtered(lambda record: record.uuid in taken_out) + orphans
        waiting._sms_ovh_set_canceled(failure_type)
        asked = (sms - waiting)._sms_ovh_request_cancel() if recall else sms.browse()
        return Closed(len(waiting), len(asked) + len(withdrawn))

    def _sms_ovh_describe_closed(self, closed, count):
        """Return the sentences that say what became of SMS that were stopped.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be stopped
        :rtype: str
        """
        parts = []
        if closed.here:
            parts.append(
                self.env._("SMS cancelled before OVHcloud got them: %s.", closed.here)
            )
        if closed.asked:
            parts.append(
                self.env._(
                    "SMS that OVHcloud is asked to cancel, unless they have been sent:"
                    " %s. Their state says so in a moment.",
                    closed.asked,
                )
            )
        if count > closed.here + closed.asked:
            parts.append(
                self.env._(
                    "SMS on their way or gone, which cannot be called back: %s.",
                    count - closed.here - closed.asked,
                )
            )
        return " ".join(parts)

    @api.model
    def _sms_ovh_tell_closed(self, closed, count):
        """Tell the user what became of SMS whose record, or campaign, is deleted.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be stopped
        """
        message = self._sms_ovh_describe_closed(closed, count)
        if message:
            self.env.user._bus_send(
                "simple_notification", {"type": "warning", "message": message}
            )

    def _sms_ovh_notify_cancel(self, closed, count):
        """Return the notification of what became of SMS that somebody cancels.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be cancelled
        """
        complete = closed.here + closed.asked == count
        return notify(
            self._sms_ovh_describe_closed(closed, count),
            "success" if complete else "warning",
        )

    @api.model
    def _sms_ovh_set_canceled_uuids(self, uuids, failure_type=False):
        """Write down that SMS never leave, some of which may be deleted by now.

        :param uuids: theirs
        :param str|bool failure_type: see :meth:`_sms_ovh_set_canceled`
        """
        sms = self.search([("uuid", "in", list(uuids))])
        sms._sms_ovh_set_canceled(failure_type)
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [("sms_uuid", "in", list(set(uuids) - set(sms.mapped("uuid"))))]
        )._sms_ovh_set_canceled(False if failure_type else "here", failure_type)

    def _sms_ovh_set_canceled(self, failure_type=False):
        """Write down that these never leave, on what they are tracked by as well.

        :param str|bool failure_type: why, where somebody else than a user stopped it
        """
        if not self:
            return
        # sudo: only the gateway writes this.
        self.sudo().write(
            {
                "state": "canceled",
                "failure_type": failure_type,
                "sms_ovh_job_id": False,
                "sms_ovh_send_at": False,
                "sms_ovh_wanted_at": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = self.env["sms.tracker"].sudo()
        trackers_sudo.search(
            [("sms_uuid", "in", self.mapped("uuid"))]
        )._sms_ovh_set_canceled(False if failure_type else "here", failure_type)

    def _sms_ovh_request_cancel(self):
        """Ask OVHcloud to cancel those of these SMS that it may hold.

        :return: those
        """
        # http2sms has no call for that.
        asked = self.filtered(
            lambda sms: (
                sms.state == "pending"
                and sms.sms_ovh_id
                and sms.sms_ovh_account_id.sudo().auth_method != "http2sms"
            )
        )
        if asked:
            # sudo: trackers are technical records without access of their own.
            trackers_sudo = self.env["sms.tracker"].sudo()
            trackers_sudo.search(
                [("sms_uuid", "in", asked.mapped("uuid")), ("sms_ovh_id", "!=", False)]
            ).sms_ovh_cancel = "requested"
            self.env.ref("sms_ovh.ir_cron_cancel").sudo()._trigger()
        return asked
