"""What recipients did with an SMS, on its line of the log."""

from odoo import api, models
from odoo.tools import SQL


class SmsOvhLog(models.Model):
    _inherit = "sms.ovh.log"

    # In SQL as all that is written to the log; neither column is in an index, so each
    # line is changed in its place.

    @api.model
    def _set_clicked(self, traces):
        """Write down that the recipients of these traces followed a link."""
        if not traces:
            return
        self.env["sms.tracker"].flush_model()
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_log log
                   SET clicked = TRUE
                  FROM sms_tracker tracker
                 WHERE tracker.mailing_trace_id = ANY(%s)
                   AND log.sms_ovh_id = tracker.sms_ovh_id
                   AND log.account_id = tracker.sms_ovh_account_id
                   AND log.clicked IS NOT TRUE
             RETURNING 1
                """,
                traces.ids,
            )
        )
        self.invalidate_model(["clicked"], flush=False)

    @api.model
    def _set_stopped(self, stops):
        """Write down which SMS of a campaign these STOP answer, the last of each.

        :param stops: `sms.ovh.stop`
        """
        stops = stops.filtered("mailing_id")
        if not stops:
            return
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_log log
                   SET stopped = TRUE
                  FROM unnest(%(accounts)s::int[], %(mailings)s::int[],
                              %(numbers)s::text[])
                       AS stop (account_id, mailing_id, number),
               LATERAL (
                       SELECT id
                         FROM sms_ovh_log
                        WHERE number = stop.number AND mailing_id = stop.mailing_id
                          AND account_id = stop.account_id AND state != 'refused'
                     ORDER BY date DESC, id DESC
                        LIMIT 1
                       ) answered
                 WHERE log.id = answered.id AND log.stopped IS NOT TRUE
             RETURNING 1
                """,
                accounts=[stop.account_id.id for stop in stops],
                mailings=[stop.mailing_id.id for stop in stops],
                numbers=[stop.number for stop in stops],
            )
        )
        self.invalidate_model(["stopped"], flush=False)


class SmsOvhStop(models.Model):
    _inherit = "sms.ovh.stop"

    @api.model_create_multi
    def create(self, vals_list):
        """Override to count the STOP among the results of its campaign."""
        stops = super().create(vals_list)
        # sudo: figures, whoever has the STOP read.
        self.env["sms.ovh.log"].sudo()._set_stopped(stops)
        return stops


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    def set_clicked(self, domain=None):
        """Override of `mass_mailing` to count the click among the campaign's results."""
        traces = super().set_clicked(domain=domain)
        # sudo: figures, whoever follows the link.
        self.env["sms.ovh.log"].sudo()._set_clicked(
            traces.filtered(lambda trace: trace.trace_type == "sms")
        )
        return traces
