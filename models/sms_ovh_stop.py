import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..tools import ovh_client
from ..tools.phone_number import FRENCH_NUMBER

_logger = logging.getLogger(__name__)

OPT_OUT_REASON = "sms_ovh.mailing_subscription_optout_stop"


class SmsOvhStop(models.Model):
    """A number that answered STOP.

    Remembered so that a number that somebody takes off Odoo's blacklist again is not
    put back with each reading of OVHcloud's.
    """

    _name = "sms.ovh.stop"
    _inherit = ["sms.ovh.answer.mixin"]
    _description = "OVHcloud STOP"
    _order = "received_at desc, id desc"
    _rec_name = "number"

    number = fields.Char(string="Phone Number", required=True, readonly=True)
    origin = fields.Selection(
        [("ovhcloud", "STOP at OVHcloud"), ("keyword", "Reply with a keyword")],
        default="ovhcloud",
        required=True,
        readonly=True,
    )

    released = fields.Boolean(
        readonly=True,
        help="Somebody of the company took the number off Odoo's blacklist since.",
    )

    _account_number_unique = models.UniqueIndex("(account_id, number)")

    @api.model
    def _insert(self, vals_list):
        """Create the STOP that OVHcloud lists, in one statement: there may be many.

        :param list vals_list: values, the same names in each
        :return: the new ones, in this order
        """
        self.flush_model()
        now, uid = self.env.cr.now(), self.env.uid
        names = ("account_id", "number", "received_at", "mailing_id", "trace_id")
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO sms_ovh_stop (
                    account_id, number, received_at, mailing_id, trace_id, origin,
                    create_uid, create_date, write_uid, write_date
                )
                SELECT *, 'ovhcloud', %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM unnest(
                           %(account_id)s::int[], %(number)s::varchar[],
                           %(received_at)s::timestamp[], %(mailing_id)s::int[],
                           %(trace_id)s::int[]
                       )
             RETURNING number, id
                """,
                uid=uid,
                now=now,
                **{name: [vals[name] or None for vals in vals_list] for name in names},
            )
        )
        self.invalidate_model(flush=False)
        ids = dict(rows)
        return self.browse(ids[vals["number"]] for vals in vals_list)

    def _apply(self, trackers):
        """Stop marketing SMS to these numbers, and say why everywhere.

        :param list trackers: `sms.tracker` of the SMS that each answered, or empty
        """
        self._blacklist()
        self._opt_out()
        # Nothing is left to decide on what these numbers wrote before.
        self.env["sms.ovh.reply"]._release(self.mapped("number"))
        for stop in self.filtered("trace_id"):
            # sudo: what a STOP is written down on, whoever has it read.
            stop.trace_id.sudo().sms_ovh_stop_date = stop.received_at
        self._log(trackers)
        self._tell_records(trackers)

    def _log(self, trackers):
        """Count these STOP where figures are made from."""
        ids = defaultdict(list)
        for stop, tracker in zip(self, trackers, strict=True):
            if tracker.sms_ovh_id:
                ids[stop.account_id].append(tracker.sms_ovh_id)
        # sudo: as above.
        Log = self.env["sms.ovh.log"].sudo()
        for account, sms_ovh_ids in ids.items():
            Log.search(
                [("account_id", "=", account.id), ("sms_ovh_id", "in", sms_ovh_ids)]
            ).stopped = True

    def _get_message(self, account, mailing):
        """Return the sentence that says what was answered."""
        if mailing:
            return self.env._(
                "Answered STOP to an SMS of the campaign “%(campaign)s” (%(account)s).",
                campaign=mailing.display_name,
                account=account.display_name,
            )
        return self.env._("Answered STOP to an SMS of %s.", account.display_name)

    def _blacklist(self):
        """Put these numbers on Odoo's blacklist."""
        for (account, mailing), stops in self.grouped(
            lambda stop: (stop.account_id, stop.mailing_id)
        ).items():
            # Odoo's blacklist takes no number that it cannot read; the company's
            # account decides how it reads.
            user = self.env.user.with_company(account.company_id)
            numbers = [
                number
                for number in stops.mapped("number")
                # Reading one takes longer than all else that is done with it.
                if FRENCH_NUMBER.fullmatch(number) or user._phone_format(number=number)
            ]
            if len(numbers) < len(stops):
                _logger.info("OVHcloud SMS: a STOP of an unusual number is set aside")
            # sudo: a STOP counts, whoever has it read.
            user.env["phone.blacklist"].sudo()._sms_ovh_add(
                numbers, self._get_message(account, mailing)
            )

    def _opt_out(self):
        """Count these numbers among the opt-outs of their campaigns' mailing lists."""
        # sudo: as above.
        Subscription = self.env["mailing.subscription"].sudo()
        reason = self.env.ref(OPT_OUT_REASON, raise_if_not_found=False)
        for mailing, stops in self.grouped("mailing_id").items():
            lists = mailing.sudo().contact_list_ids
            if not lists:
                continue
            Subscription.search(
                [
                    ("list_id", "in", lists.ids),
                    ("opt_out", "=", False),
                    ("contact_id.phone_sanitized", "in", stops.mapped("number")),
                ]
            ).write({"opt_out": True, "opt_out_reason_id": reason and reason.id})

    def _tell_records(self, trackers):
        """Note in the chatter of what the SMS was about that its recipient opted out."""
        for stop, tracker in zip(self, trackers, strict=True):
            record = tracker and tracker._sms_ovh_get_record()
            if not record or not hasattr(record, "_message_log"):
                continue
            record._message_log(
                body=self.env._(
                    "%(message)s No marketing SMS go to %(number)s any more.",
                    message=self._get_message(stop.account_id, stop.mailing_id),
                    number=stop.number,
                )
            )

    @api.model
    def _stop_by_keyword(self, answers):
        """Take these replies for a STOP.

        :param list answers: pairs of an `sms.ovh.reply` and the `sms.tracker` of the
            SMS that it answers, or empty
        """
        numbers = [reply._get_number() for reply, __ in answers]
        # sudo: as above.
        stops = {
            (stop.account_id, stop.number): stop
            for stop in self.sudo().search([("number", "in", numbers)])
        }
        blacklisted = self._find_blacklisted(numbers)
        for reply, tracker in answers:
            number = reply._get_number()
            key = reply.account_id, number
            if not number or (key in stops and number in blacklisted):
                continue
            values = {
                "received_at": reply.received_at,
                "released": False,
                "mailing_id": reply.mailing_id.id,
                "trace_id": reply.trace_id.id,
            }
            if key in stops:
                stops[key].write(values)
            else:
                stops[key] = self.sudo().create(
                    {
                        "account_id": reply.account_id.id,
                        "number": number,
                        "origin": "keyword",
                        **values,
                    }
                )
            stops[key]._apply([tracker])

    # ------------------------------------------------------------
    # Opting in again
    # ------------------------------------------------------------

    @api.model
    def _find_of_others(self, numbers):
        """Return which of these numbers answered STOP to a company that is not the user's.

        Whatever rights the environment has: what runs for a user is that user's.

        :param list numbers: in E.164
        :rtype: set[str]
        """
        # sudo: STOP of all companies, of which the user learns that there are some.
        stops_sudo = self.sudo().search(
            [("number", "in", numbers), ("released", "=", False)]
        )
        return {
            stop.number
            for stop in stops_sudo
            if not stop.account_id.company_id.with_env(self.env)._sms_ovh_is_own()
        }

    @api.model
    def _set_released(self, numbers):
        """Note that these numbers were taken off Odoo's blacklist.

        :param list numbers: in E.164
        """
        # sudo: users read STOP, and take numbers off the blacklist.
        self.sudo().search(
            [("number", "in", numbers), ("released", "=", False)]
        ).released = True

    @api.model
    def _get_refusal(self, number):
        """Return the sentence on why OVHcloud refuses a number, False where it does not.

        :param str|bool number: in E.164
        """
        stops = self._find_refusing(number)
        if not stops:
            return False
        return self.env._(
            "OVHcloud still refuses SMS to %(number)s: a STOP was answered to"
            " %(accounts)s on %(date)s. Nothing reaches this number before it is taken"
            " off OVHcloud's blacklist, too.",
            number=number,
            accounts=", ".join(stops.account_id.mapped("display_name")),
            date=format_date(self.env, max(stops.mapped("received_at"))),
        )

    @api.model
    def _find_refusing(self, number):
        """Return the STOP by which OVHcloud refuses a number, those that the user sees.

        :param str|bool number: in E.164
        """
        if not number:
            return self.browse()
        return self.search([("number", "=", number), ("origin", "=", "ovhcloud")])

    def _take_back(self, until=None):
        """Resume SMS to these numbers: at OVHcloud, and in what they opted out of.

        Odoo's own blacklist is for the caller to change.

        :param datetime until: UTC; a STOP that came later stays
        :return: those that were taken back
        :raise OvhError: where OVHcloud cannot be asked, or does not do it
        """
        # sudo: who may change the blacklist need not see the keys of the account.
        Subscription = self.env["mailing.subscription"].sudo()
        reason = self.env.ref(OPT_OUT_REASON, raise_if_not_found=False)
        taken_back = self.browse()
        for stop in self:
            if until and stop.received_at and stop.received_at > until:
                continue
            if not stop.account_id.sudo()._take_off_blacklist(stop.number, until):
                continue
            lists = stop.mailing_id.sudo().contact_list_ids
            if lists and reason:
                Subscription.search(
                    [
                        ("list_id", "in", lists.ids),
                        ("opt_out", "=", True),
                        ("opt_out_reason_id", "=", reason.id),
                        ("contact_id.phone_sanitized", "=", stop.number),
                    ]
                ).write({"opt_out": False, "opt_out_reason_id": False})
            taken_back |= stop
        return taken_back

    @api.model
    def _start_by_keyword(self, replies):
        """Resume SMS to who opted out and writes an opt-in keyword.

        Odoo has one blacklist for all: where the number answered STOP to another
        account as well, it stays there.

        :param replies: `sms.ovh.reply` whose texts are such keywords
        """
        numbers = {reply: reply._get_number() for reply in replies}
        blacklisted = self._find_blacklisted(numbers.values())
        # sudo: what a recipient asks for, whoever has it read.
        Stop = self.sudo()
        for reply, number in numbers.items():
            stops = Stop.search([("number", "=", number)]) if number else Stop
            own = stops.filtered(
                lambda stop, reply=reply: stop.account_id == reply.account_id
            )
            if stops != own or not (own or number in blacklisted):
                continue
            until = reply.received_at
            try:
                if own._take_back(until) != own or (
                    not own and not reply.account_id._take_off_blacklist(number, until)
                ):
                    continue
            except ovh_client.OvhError as error:
                # It stays a reply that somebody looks at.
                _logger.warning("OVHcloud SMS: no number taken off: %r", error)
                continue
            own.unlink()
            reply.is_start = True
            self.env["phone.blacklist"].sudo()._remove(
                [number],
                message=self.env._(
                    "Wrote “%(text)s” to %(account)s: gets SMS again.",
                    text=reply.body,
                    account=reply.account_id.display_name,
                ),
            )

    @api.model
    def _find_stopped(self, numbers):
        """Return why no marketing SMS may go to some of these numbers.

        In SQL: see :meth:`_find_blacklisted`.

        :param numbers: in E.164
        :return: failure type by number
        :rtype: dict[str, str]
        """
        numbers = [number for number in numbers if number]
        if not numbers:
            return {}
        self.env["phone.blacklist"].flush_model(["number", "active"])
        self.env["sms.ovh.reply"].flush_model(["held_number"])
        self.env.cr.execute(
            """
            SELECT held_number, 'sms_ovh_seems_stop' FROM sms_ovh_reply
             WHERE held_number = ANY(%(numbers)s)
             UNION ALL
            SELECT number, 'sms_blacklist' FROM phone_blacklist
             WHERE active AND number = ANY(%(numbers)s)
            """,
            {"numbers": numbers},
        )
        # The blacklist has the last word.
        return dict(self.env.cr.fetchall())

    @api.model
    def _find_stopped_since(self, since):
        """Return to which numbers no marketing SMS may go any more, and why.

        :param datetime since: when they were last looked up
        :return: failure type by number
        :rtype: dict[str, str]
        """
        self.env["phone.blacklist"].flush_model(["number", "active", "write_date"])
        self.env["sms.ovh.reply"].flush_model(["held_number"])
        self.env.cr.execute(
            """
            SELECT held_number, 'sms_ovh_seems_stop' FROM sms_ovh_reply
             WHERE held_number IS NOT NULL
             UNION ALL
            SELECT number, 'sms_blacklist' FROM phone_blacklist
             WHERE active AND write_date >= %s
            """,
            [since],
        )
        return dict(self.env.cr.fetchall())

    @api.model
    def _find_blacklisted(self, numbers):
        """Return which of these numbers are on Odoo's blacklist.

        In SQL: the ORM's search parses each number, and this is asked for each SMS
        that is sent.

        :param numbers: in E.164
        :rtype: set[str]
        """
        numbers = [number for number in numbers if number]
        if not numbers:
            return set()
        self.env["phone.blacklist"].flush_model(["number", "active"])
        self.env.cr.execute(
            "SELECT number FROM phone_blacklist WHERE active AND number = ANY(%s)",
            [numbers],
        )
        return {number for (number,) in self.env.cr.fetchall()}
