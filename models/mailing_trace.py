from odoo import fields, models

from .. import const


class MailingTrace(models.Model):
    _name = "mailing.trace"
    _inherit = ["mailing.trace", "sms.ovh.guard.mixin"]

    failure_type = fields.Selection(selection_add=const.FAILURE_TYPES)

    sms_ovh_job_id = fields.Many2one(
        related="sms_tracker_ids.sms_ovh_job_id",
        string="OVHcloud Job",
        groups="sms_ovh.group_sms_ovh_admin",
    )

    sms_ovh_stop_date = fields.Datetime(
        string="STOP On",
        readonly=True,
        help="When the recipient answered STOP to this SMS.",
    )

    # Each slice of a campaign looks up which of its recipients got an SMS, by record
    # or by number. Without these indexes it would read all earlier slices.
    _mailing_sms_record_idx = models.Index(
        "(mass_mailing_id, res_id) WHERE trace_type = 'sms'"
    )
    _mailing_sms_number_idx = models.Index(
        "(mass_mailing_id, sms_number) WHERE trace_type = 'sms'"
    )

    def set_clicked(self, domain=None):
        """Override of `mass_mailing` to count the click in the campaign's results."""
        traces = super().set_clicked(domain=domain)
        # sudo: counts the click, whoever follows the link.
        self.env["sms.ovh.log"].sudo()._set_clicked(
            traces.filtered(lambda trace: trace.trace_type == "sms")
        )
        return traces
