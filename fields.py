"""A kind of field that what is written for each SMS needs."""

from odoo import fields
from odoo.tools import SQL


class UncheckedMany2one(fields.Many2one):
    """A link without a foreign key.

    PostgreSQL checks a foreign key by a query for each row that is written, and locks
    the row that it leads to: for what is written for each SMS, all to the same few
    accounts and jobs, that is a quarter of its work. No user chooses what such a link
    leads to, and whoever deletes that calls :func:`forget`.
    """

    def update_db_foreign_key(self, model, column):
        """Override to have none."""
        model.env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
                SQL.identifier(model._table),
                SQL.identifier(f"{model._table}_{self.name}_fkey"),
            )
        )


def forget(records, *links):
    """Clear the unchecked links to records that are about to be deleted.

    :param records: what they lead to
    :param links: name of a model and of its field, for each
    """
    env = records.env
    for model_name, name in links:
        model = env[model_name]
        model.flush_model([name])
        env.cr.execute(
            SQL(
                "UPDATE %(table)s SET %(column)s = NULL WHERE %(column)s = ANY(%(ids)s)",
                table=SQL.identifier(model._table),
                column=SQL.identifier(name),
                ids=records.ids,
            )
        )
        model.invalidate_model([name], flush=False)
