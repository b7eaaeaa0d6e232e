from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    sms_ovh_refusal = fields.Char(
        string="Refused by OVHcloud", compute="_compute_sms_ovh_refusal"
    )

    # For the search, before each claim of jobs, of who opted out since they were made.
    _sms_ovh_write_date_idx = models.Index("(write_date)")

    @api.depends("number", "active")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_sms_ovh_refusal(self):
        """Show if OVHcloud refuses a number that is not blacklisted here."""
        Stop = self.env["sms.ovh.stop"]
        for record in self:
            record.sms_ovh_refusal = (
                not record.active
                and Stop.has_access("read")
                and Stop._get_refusal(record.number)
            )

    @api.constrains("active", "number")
    def _check_sms_ovh_active(self):
        """Keep numbers that answered STOP to a company that is not the user's.

        Odoo has one blacklist for all companies of a database.
        """
        released = set(self.filtered(lambda record: not record.active).mapped("number"))
        # In SQL, which does not see unflushed changes: the numbers from before.
        self.env.cr.execute(
            "SELECT id, number FROM phone_blacklist WHERE active AND id = ANY(%s)",
            [self.ids],
        )
        released |= {
            number
            for id_, number in self.env.cr.fetchall()
            if self.browse(id_).number != number
        }
        if released:
            self._sms_ovh_check_release(released)
            self.env["sms.ovh.stop"]._set_released(list(released))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sms_ovh_stop(self):
        """Keep such numbers when they are deleted, too."""
        self._sms_ovh_check_release(self.filtered("active").mapped("number"))

    @api.model
    def _sms_ovh_check_release(self, numbers):
        """Refuse to take off numbers that answered STOP to another company.

        :param numbers: in E.164
        :raise AccessError: revealing nothing of that company
        """
        kept = self.env["sms.ovh.stop"]._find_of_others(list(numbers))
        if kept:
            raise AccessError(
                self.env._(
                    "%(numbers)s: STOP was answered to another company, which is not one"
                    " of yours. The blacklist counts for all companies, so only somebody"
                    " of that company can take a number off it.",
                    numbers=", ".join(sorted(kept)),
                )
            )

    @api.model
    def _sms_ovh_add(self, numbers, message):
        """Blacklist these numbers, each with a note on why.

        This does the same as core's `_add`, which takes milliseconds per number: an
        account's first reading may bring tens of thousands. So one SQL statement adds
        all of them.

        :param list numbers: in E.164, and valid
        :param str message: text of the note
        """
        self.flush_model()
        known = dict(
            self.env.execute_query(
                SQL(
                    "SELECT number, active FROM phone_blacklist WHERE number = ANY(%s)",
                    numbers,
                )
            )
        )
        # Core reports those that come back.
        inactive = [number for number, active in known.items() if not active]
        if inactive:
            self._add(inactive, message)
            self.flush_model()
        new = list(dict.fromkeys(number for number in numbers if number not in known))
        if not new:
            return
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO phone_blacklist (
                    number, active, create_uid, create_date, write_uid, write_date
                )
                SELECT number, TRUE, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM unnest(%(numbers)s::varchar[]) AS number
           ON CONFLICT (number) DO NOTHING
             RETURNING id
                """,
                numbers=new,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)
        self.browse(id_ for (id_,) in rows)._sms_ovh_note(message)

    def _sms_ovh_note(self, message):
        """Write the same note on all records: one as core makes it, and copies of it.

        :param str message: text of the note
        """
        if not self:
            return
        note = self[0]._message_log(body=message)
        note.flush_model()
        own = ("id", "message_id", "record_name", "res_id")
        columns = [
            SQL.identifier(name)
            for name, field in note._fields.items()
            if field.store and field.column_type and name not in own
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mail_message (res_id, message_id, %(columns)s)
                SELECT noted.id, '<' || gen_random_uuid() || '@sms-ovh>', %(columns)s
                  FROM mail_message, unnest(%(res_ids)s::int[]) AS noted (id)
                 WHERE mail_message.id = %(note)s
                """,
                columns=SQL(", ").join(columns),
                res_ids=self.ids[1:],
                note=note.id,
            )
        )
        note.invalidate_model(flush=False)
