from odoo import api, models
from odoo.exceptions import AccessError


class SmsOvhGuardMixin(models.AbstractModel):
    """What a user may give to a record: by RPC, on import, as a default, in a form.

    Odoo checks no right to what a link leads to, shows its name whoever asks, and takes
    values that views show as read-only.
    """

    _name = "sms.ovh.guard.mixin"
    _description = "Guard of What Users Give"

    # By name of a link, the operation on what it leads to that the user has to have; of
    # companies, the user has to belong to them.
    _sms_ovh_guarded_links = {}
    # Read-only fields that the ORM refuses; None for all: of the addon's own models each
    # that is stored, of core's each of those that the addon adds.
    _sms_ovh_guarded_fields = None

    def _sms_ovh_is_guarded(self, field):
        """Return whether only the gateway writes this field."""
        names = self._sms_ovh_guarded_fields
        if names is not None:
            return field.name in names
        own = self._name.startswith("sms.ovh.") or field.name.startswith("sms_ovh_")
        return own and field.readonly and field.store and not self._transient

    def _has_field_access(self, field, operation):
        """Override to refuse what only the gateway writes."""
        if operation == "write" and not self.env.su and self._sms_ovh_is_guarded(field):
            return False
        return super()._has_field_access(field, operation)

    def _sms_ovh_check_links(self, values):
        """Refuse links that lead to what is not the user's.

        :param dict values: as of `create` or `onchange`
        :raise AccessError: which tells nothing of what they lead to
        """
        if self.env.su:
            return
        for name, operation in self._sms_ovh_guarded_links.items():
            value = values.get(name)
            if isinstance(value, dict):
                value = value.get("id")
            if isinstance(value, list | tuple):
                value = value[0] if value else False
            if not value or not isinstance(value, int):
                continue
            # Of all companies of the user, whichever are chosen now.
            record = (
                self.env[self._fields[name].comodel_name]
                .browse(value)
                .with_context(allowed_company_ids=self.env.user._get_company_ids())
            )
            if record._name == "res.company":
                allowed = record._sms_ovh_is_own()
            else:
                allowed = record.has_access(operation)
            if not allowed:
                raise AccessError(
                    self.env._(
                        "“%s” is not one that you may use: choose another one.",
                        self._fields[name]._description_string(self.env),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to check what links lead to."""
        for vals in vals_list:
            self._sms_ovh_check_links(vals)
        records = super().create(vals_list)
        records._sms_ovh_check_defaults()
        return records

    def _sms_ovh_check_defaults(self):
        """Refuse links that came as defaults, which a user can define, too."""
        if self.env.su or not self._sms_ovh_guarded_links:
            return
        for record_sudo in self.sudo():
            self._sms_ovh_check_links(
                {name: record_sudo[name].id for name in self._sms_ovh_guarded_links}
            )

    def write(self, vals):
        """Override to check what links lead to."""
        self._sms_ovh_check_links(vals)
        return super().write(vals)

    @api.model
    def default_get(self, fields_list):
        """Override to check what links lead to."""
        defaults = super().default_get(fields_list)
        self._sms_ovh_check_links(defaults)
        return defaults

    def onchange(self, values, field_names, fields_spec):
        """Override to compute nothing of what links lead to that is not the user's."""
        self._sms_ovh_check_links(values)
        return super().onchange(values, field_names, fields_spec)
