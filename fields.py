"""Kinds of fields: links that are written for each SMS, and secrets."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tools import SQL

# Whether a text is being rendered that somebody wrote. No text can change it.
_rendering = ContextVar("sms_ovh_rendering", default=False)


@contextmanager
def rendering(env):
    """Hide secrets from what runs inside, whoever it runs as.

    :param env: environment of what is rendered; its cache forgets the secrets it has
    """
    token = _rendering.set(True)
    try:
        for field in [*env.transaction.field_data]:
            if isinstance(field, Secret):
                _forget_cached(env, field)
        yield
    finally:
        _rendering.reset(token)


def _forget_cached(env, field):
    """Take the values of a secret out of the cache, which a text could look into."""
    model = env[field.model_name]
    if field in env.transaction.field_dirty:
        model.flush_model([field.name])
    model.invalidate_model([field.name], flush=False)


def seal(value):
    """Return a function that gives a secret, and refuses while a text is rendered.

    What a cache holds, a text could ask for.

    :rtype: function
    """

    def unseal(env):
        check_not_rendering(env)
        return value

    return unseal


def check_not_rendering(env):
    """Refuse while a text is rendered that somebody wrote.

    :raise AccessError: then
    """
    if _rendering.get():
        raise AccessError(env._("Secrets cannot be put into texts."))


class Secret(fields.Char):
    """A text that no template, placeholder or anything called by them reads.

    Who writes a text may have it rendered with more rights than their own: by a
    scheduled action, or by a colleague. Groups of a field do not hold there.
    """

    # Read for itself only, lest whatever reads a record read its secrets, too.
    prefetch = False

    def __get__(self, record, owner=None):
        """Override to refuse while a text is rendered."""
        if record is not None:
            check_not_rendering(record.env)
        return super().__get__(record, owner)

    def to_sql(self, model, alias):
        """Override to refuse while a text is rendered: in any query, conditions too."""
        check_not_rendering(model.env)
        return super().to_sql(model, alias)


class UncheckedMany2one(fields.Many2one):
    """A link without a foreign key.

    PostgreSQL checks a foreign key by a query for each row that is written, and locks
    the row that it leads to: for what is written for each SMS, all to the same few
    accounts and jobs, that is a quarter of its work. No user chooses what such a link
    leads to, and whoever deletes that calls :func:`clear_links`.
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


def clear_links(records, *links):
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
