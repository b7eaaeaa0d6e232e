from odoo import api, fields, models
from odoo.tools import SQL

FIGURES = ("sms_encoding", "sms_units", "sms_segments")


class SmsTemplate(models.Model):
    """A template counts as written: links as they are, and without STOP clause.

    Its text is translated, so its figures are those of the language in use. They are
    not stored, lest those of the last language written stand for all.
    """

    _name = "sms.template"
    _inherit = ["sms.template", "sms.ovh.counter.mixin"]

    sms_encoding = fields.Selection(search="_search_sms_encoding")
    sms_units = fields.Integer(search="_search_sms_units", aggregator=None)
    sms_segments = fields.Integer(search="_search_sms_segments", aggregator=None)

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
