from odoo import api, fields, models
from odoo.tools import SQL

from .. import const

FIGURES = ("sms_encoding", "sms_units", "sms_segments")


class SmsTemplate(models.Model):
    """A template counts as written: links as they are, and without STOP clause.

    Its text is translated, so its figures are those of the language in use. They are
    not stored, lest those of the last language written stand for all.
    """

    _name = "sms.template"
    _inherit = ["sms.template", "sms.ovh.counter.mixin", "sms.ovh.guard.mixin"]

    _sms_ovh_guarded_links = {"sms_ovh_sender_id": "read"}

    sms_encoding = fields.Selection(search="_search_sms_encoding")
    sms_units = fields.Integer(search="_search_sms_units", aggregator=None)
    sms_segments = fields.Integer(search="_search_sms_segments", aggregator=None)
    sms_ovh_kind = fields.Selection(
        const.KINDS,
        string="Kind",
        help="What SMS with this template are to the law. Empty: what the company's SMS"
        " are.",
    )
    sms_ovh_sender_id = fields.Many2one(
        "sms.ovh.sender",
        string="Sender",
        ondelete="set null",
        domain="[('status', '=', 'enable')]",
        help="Who SMS with this template come from, where the company that sends has"
        " this sender. Empty: the account's default sender.",
    )
    sms_ovh_gsm7 = fields.Selection(
        const.GSM7_CHOICES,
        string="Write in GSM-7 what has an equivalent",
        help="Empty: as the company that sends has it.",
    )

    sms_ovh_is_own = fields.Boolean(
        string="Changed by Me",
        compute="_compute_sms_ovh_is_own",
        help="Others' templates can be used and duplicated, not changed.",
    )
    sms_ovh_for_campaigns = fields.Boolean(
        string="For Campaigns", compute="_compute_sms_ovh_for_campaigns"
    )

    @api.depends_context("uid")
    def _compute_sms_ovh_is_own(self):
        own = self._filtered_access("write")
        for template in self:
            # One that is not saved yet is its author's.
            template.sms_ovh_is_own = not template.id or template in own

    @api.depends("model")
    def _compute_sms_ovh_for_campaigns(self):
        for template in self:
            model = self.env.get(template.model)
            template.sms_ovh_for_campaigns = getattr(model, "_mailing_enabled", False)

    def action_sms_ovh_write_campaign(self):
        """Open a new campaign that starts with this template."""
        self.ensure_one()
        self.check_access("read")
        self.env["mailing.mailing"].check_access("create")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "mass_mailing_sms.mailing_mailing_action_sms"
        )
        # Contacts of lists are chosen by their lists.
        model = self.model
        model = "mailing.list" if model == "mailing.contact" else model
        return {
            **action,
            "views": [(False, "form")],
            "view_mode": "form",
            "context": {
                "default_user_id": self.env.uid,
                "default_mailing_type": "sms",
                "mailing_sms": True,
                "default_mailing_model_id": self.env["ir.model"]._get_id(model),
                "default_sms_template_id": self.id,
                "default_subject": self.name,
            },
        }

    @api.depends("body")
    @api.depends_context("lang")
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    def _search_sms_encoding(self, operator, value):
        return self._search_sms_figure("sms_encoding", operator, value)

    def _search_sms_units(self, operator, value):
        return self._search_sms_figure("sms_units", operator, value)

    def _search_sms_segments(self, operator, value):
        return self._search_sms_figure("sms_segments", operator, value)

    def _search_sms_figure(self, name, operator, value):
        """Return the domain of the templates with such a figure."""
        # No column holds it, so each template is counted: there are few.
        templates = self.search([])  # pylint: disable=no-search-all
        compare = {
            "in": lambda figure: figure in value,
            "not in": lambda figure: figure not in value,
            ">": lambda figure: figure > value,
            ">=": lambda figure: figure >= value,
            "<": lambda figure: figure < value,
            "<=": lambda figure: figure <= value,
        }.get(operator)
        if not compare:
            return NotImplemented
        matching = templates.filtered(lambda template: compare(template[name]))
        return [("id", "in", matching.ids)]

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to group and sort by the figures, which no column holds."""
        if field_expr not in FIGURES:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        # Each has its figure in the query: there are few.
        templates = self.search([])  # pylint: disable=no-search-all
        column_type = self._fields[field_expr].column_type[1]
        if not templates:
            return SQL("NULL::%s", SQL(column_type))
        whens = SQL(" ").join(
            SQL("WHEN %s THEN %s", template.id, template[field_expr])
            for template in templates
        )
        return SQL(
            "(CASE %s %s END)::%s",
            SQL.identifier(alias, "id"),
            whens,
            SQL(column_type),
        )

    def _sms_ovh_get_context(self):
        """Return the context by which SMS are sent as this template says.

        :rtype: dict
        """
        # sudo: who may send an SMS need not be allowed to see senders.
        template_sudo = self.sudo()
        context = {}
        if template_sudo.sms_ovh_kind:
            context["sms_ovh_kind"] = template_sudo.sms_ovh_kind
        if template_sudo.sms_ovh_sender_id:
            context["sms_ovh_sender_id"] = template_sudo.sms_ovh_sender_id.id
        if template_sudo.sms_ovh_gsm7:
            context["sms_ovh_gsm7"] = template_sudo.sms_ovh_gsm7
        return context
