from odoo import api, models
from odoo.exceptions import AccessError


class SmsOvhGuardMixin(models.AbstractModel):
    """Guards the values that users give: by RPC, on import, as defaults, in forms.

    Odoo does not check the user's rights on a link's target, shows its name to anybody,
    and accepts values for fields that views show as read-only.
    """

    _name = "sms.ovh.guard.mixin"
    _description = "Guard of What Users Give"

    # By name of a link, the operation that the user must be allowed on its target. If
    # that is a company, the user must belong to it.
    _sms_ovh_guarded_links = {}
    # Read-only fields that the ORM refuses to write. None for all stored ones: those of
    # the addon's own models, and those that the addon adds to core's models.
    _sms_ovh_guarded_fields = None

    def _sms_ovh_is_guarded(self, field):
        """Return whether only the gateway may write this field."""
        names = self._sms_ovh_guarded_fields
        if names is not None:
            return field.name in names
        own = self._name.startswith("sms.ovh.") or field.name.startswith("sms_ovh_")
        return own and field.readonly and field.store and not self._transient

    def _has_field_access(self, field, operation):
        """Override to refuse writing fields that are the gateway's."""
        if operation == "write" and not self.env.su and self._sms_ovh_is_guarded(field):
            return False
        return super()._has_field_access(field, operation)

    def _sms_ovh_check_links(self, values):
        """Refuse links to records that the user may not use.

        :param dict values: as for `create` or `onchange`
        :raise AccessError: revealing nothing of those records
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
            # In all companies of the user, whichever are selected now.
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
        """Override to check the targets of links."""
        for vals in vals_list:
            self._sms_ovh_check_links(vals)
        records = super().create(vals_list)
        records._sms_ovh_check_defaults()
        return records

    def _sms_ovh_check_defaults(self):
        """Refuse links that came as defaults, since users can define those, too."""
        if self.env.su or not self._sms_ovh_guarded_links:
            return
        for record_sudo in self.sudo():
            self._sms_ovh_check_links(
                {name: record_sudo[name].id for name in self._sms_ovh_guarded_links}
            )

    def write(self, vals):
        """Override to check the targets of links."""
        self._sms_ovh_check_links(vals)
        return super().write(vals)

    @api.model
    def default_get(self, fields_list):
        """Override to check the targets of links."""
        defaults = super().default_get(fields_list)
        self._sms_ovh_check_links(defaults)
        return defaults

    def onchange(self, values, field_names, fields_spec):
        """Override to compute nothing from links that the user may not use."""
        self._sms_ovh_check_links(values)
        return super().onchange(values, field_names, fields_spec)
