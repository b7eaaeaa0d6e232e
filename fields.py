"""Field types: links that are written for each SMS, and secrets."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tools import SQL

# Whether a text written by a user is being rendered. No such text can change it.
_rendering = ContextVar("sms_ovh_rendering", default=False)


@contextmanager
def rendering(env):
    """Hide secrets from the code that runs inside, whatever its user.

    :param env: environment of the rendering; secrets are removed from its cache
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
    """Remove the values of a secret from the cache, which a text could look into."""
    model = env[field.model_name]
    if field in env.transaction.field_dirty:
        model.flush_model([field.name])
    model.invalidate_model([field.name], flush=False)


def seal(value):
    """Return a function that returns a secret, but refuses while a text is rendered.

    Otherwise a text could ask for what a cache holds.

    :rtype: function
    """

    def unseal(env):
        check_not_rendering(env)
        return value

    return unseal


def check_not_rendering(env):
    """Refuse while a text written by a user is rendered.

    :raise AccessError: if one is being rendered
    """
    if _rendering.get():
        raise AccessError(env._("Secrets cannot be put into texts."))


class Secret(fields.Char):
    """A text that no template or placeholder can read, nor anything that they call.

    Users may have their texts rendered with more rights than their own: by a scheduled
    action, or by a colleague. The groups of a field do not protect it there.
    """

    # Read only on its own, so that reading a record does not read its secrets, too.
    prefetch = False

    def __get__(self, record, owner=None):
        """Override to refuse while a text is rendered."""
        if record is not None:
            check_not_rendering(record.env)
        return super().__get__(record, owner)

    def to_sql(self, model, alias):
        """Override to refuse while a text is rendered, in all of a query's clauses."""
        check_not_rendering(model.env)
        return super().to_sql(model, alias)


class UncheckedMany2one(fields.Many2one):
    """A link without a foreign key.

    PostgreSQL checks a foreign key with a query for each row that is written, and locks
    the row that it leads to. For rows written for each SMS, all linked to the same few
    accounts and jobs, that is a quarter of its work. No user chooses the target of such
    a link, and code that deletes the target calls :func:`clear_links`.
    """

    def update_db_foreign_key(self, model, column):
        """Override to have no foreign key."""
        model.env.cr.execute(
            SQL(
                "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
                SQL.identifier(model._table),
                SQL.identifier(f"{model._table}_{self.name}_fkey"),
            )
        )


def clear_links(records, *links):
    """Clear the unchecked links to records that are about to be deleted.

    :param records: the records that the links lead to
    :param links: (model name, field name) of each link
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
