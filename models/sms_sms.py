import time
from collections import defaultdict
from functools import cache

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, split_every

from .. import const
from ..fields import UncheckedMany2one
from ..tools import transaction
from ..tools.gsm7_filling import ALL, write_gsm7
from ..tools.links import append_visitor
from ..tools.sms_api import SmsApiOvh
from ..tools.sms_segments import count_segments, is_blank

# SMS read from the queue at a time, so that equal texts meet in one job: a multiple
# of the receivers of a job.
QUEUE_BATCH_SIZE = 10 * const.MAX_RECEIVERS_PER_JOB
# SMS and jobs put into the outbox at a time, while what is there is being posted.
PIECE_SIZE = 5 * const.MAX_RECEIVERS_PER_JOB
PIECE_JOBS = 2 * const.THREADS
QUEUE_DOMAIN = [("state", "=", "outgoing"), ("to_delete", "!=", True)]
# In a context: the company of each SMS is that of its record, whoever's it is. An object,
# so that no caller from outside can send it.
BY_RECORD = object()
# What is read of an SMS to put it into a job.
CLAIM_FIELDS = (
    "uuid",
    "number",
    "body",
    "state",
    "to_delete",
    "record_company_id",
    "mailing_id",
    "sms_ovh_kind",
    "sms_ovh_sender_id",
    "sms_ovh_stop_clause",
    "sms_ovh_send_at",
)


class SmsSms(models.Model):
    _name = "sms.sms"
    _inherit = ["sms.sms", "sms.ovh.counter.mixin"]

    # `sms_twilio` declares the same field; where both are installed they are one.
    record_company_id = fields.Many2one(
        "res.company", string="Company", ondelete="set null"
    )
    failure_type = fields.Selection(
        selection_add=[
            # What a delivery report can say, which core only has on notifications.
            ("sms_expired", "Expired"),
            ("sms_invalid_destination", "Invalid Destination"),
            ("sms_not_allowed", "Not Allowed"),
            ("sms_not_delivered", "Not Delivered"),
            ("sms_rejected", "Rejected"),
            *const.FAILURE_TYPES,
        ],
    )
    sms_ovh_account_id = UncheckedMany2one(
        "sms.ovh.account",
        string="OVHcloud Account",
        readonly=True,
        copy=False,
        help="The account that this SMS was sent with.",
    )
    # Neither this nor what else sending writes has an index: see `init`.
    sms_ovh_job_id = UncheckedMany2one(
        "sms.ovh.job", string="OVHcloud Job", readonly=True, copy=False
    )
    sms_ovh_kind = fields.Selection(const.KINDS, string="Kind", readonly=True)
    sms_ovh_sender_id = UncheckedMany2one(
        "sms.ovh.sender",
        string="Sender",
        readonly=True,
        help="Who it comes from; without one, the account's default sender.",
    )
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        readonly=True,
        help="OVHcloud adds the STOP clause to this SMS.",
    )
    # Not read-only, so that `create` may give them.
    sms_encoding = fields.Selection(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_units = fields.Integer(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_segments = fields.Integer(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_ovh_id = fields.Char(string="OVHcloud's SMS ID", readonly=True, copy=False)
    sms_ovh_ptt = fields.Integer(string="PTT", readonly=True, copy=False)
    sms_ovh_failure_reason = fields.Char(
        string="Failure Reason", readonly=True, copy=False
    )

    # pylint: disable-next=missing-return
    def init(self):
        """Leave room in the table for what sending writes on each SMS.

        PostgreSQL then rewrites a row beside itself and touches no index, as long as
        no index is on what changes: that halves the work of each of the two times that
        an SMS is written, when it is put into the outbox and when it was accepted.
        """
        super().init()
        self.env.cr.execute("ALTER TABLE sms_sms SET (fillfactor = 45)")

    @api.model_create_multi
    def create(self, vals_list):
        """Override to keep which company sends, as whom, and what kind of SMS it is.

        In the queue the environment's company is the cron's, so it has to be known from
        the start. Sender and kind are those of the values, else of the campaign, else
        of the context's ``sms_ovh_sender_id`` and ``sms_ovh_kind``, else the company's.
        """
        # sudo: the company and the sender of what is sent, whoever sends it.
        mailings = (
            self.env["mailing.mailing"]
            .sudo()
            .browse(
                {vals["mailing_id"] for vals in vals_list if vals.get("mailing_id")}
            )
        )
        mailings.fetch(["sms_ovh_company_id", "sms_ovh_sender_id", "sms_ovh_kind"])
        messages = (
            self.env["mail.message"]
            .sudo()
            .browse(
                {
                    vals["mail_message_id"]
                    for vals in vals_list
                    if vals.get("mail_message_id")
                }
            )
        )
        messages.fetch(["model", "record_company_id", "res_id"])
        check = cache(self._check_sms_ovh_company)
        # Of a campaign, most are alike.
        choose = cache(self._get_sms_ovh_choice)
        count = cache(count_segments)
        for vals in vals_list:
            mailing = mailings.browse(vals.get("mailing_id") or [])
            message = messages.browse(vals.get("mail_message_id") or [])
            company = (
                mailing.sms_ovh_company_id
                or self.env["res.company"].browse(vals.get("record_company_id") or [])
                or message.record_company_id
                or self.env.company
            )
            vals["record_company_id"] = company.id
            check(company, message)
            choice = choose(
                company,
                mailing,
                vals.get("sms_ovh_kind"),
                vals.get("sms_ovh_sender_id"),
                vals.get("sms_ovh_stop_clause"),
            )
            if choice:
                vals.update(choice)
                self._hold_sms_ovh_values(vals, company)
                if not mailing:
                    vals["body"] = self._write_sms_ovh_gsm7(vals.get("body"), company)
            # As `_compute_sms_segments`, without the record that the ORM would first
            # make of each, its traces included, to compute what is to be stored.
            body = "" if is_blank(vals.get("body")) else vals["body"]
            counted = count(body, bool(vals.get("sms_ovh_stop_clause")))
            vals["sms_encoding"] = counted.encoding
            vals["sms_units"] = counted.units
            vals["sms_segments"] = counted.segments
        return super().create(vals_list)

    @api.model
    def _check_sms_ovh_company(self, company, message):
        """Refuse to send for a company that is neither the user's nor the record's.

        Whatever rights the environment has: SMS are created with all of them.

        :param company: `res.company` that is to send
        :param message: `mail.message` of the SMS, or empty
        :raise AccessError: where it sends by OVHcloud and is another one
        """
        # sudo: whether a company sends with OVHcloud.
        if (
            not company.sudo().sms_ovh_account_id
            or company._is_sms_ovh_own()
            or self.env.context.get("sms_ovh_by_record") is BY_RECORD
        ):
            return
        # A customer's click, or an order of a sister company: it is the record's.
        if message.res_id and message.model in self.env:
            # sudo: the company only.
            record_sudo = self.env[message.model].sudo().browse(message.res_id)
            if record_sudo._mail_get_companies()[record_sudo.id] == company:
                return
        raise AccessError(
            self.env._("You cannot send SMS for a company that is not yours.")
        )

    def write(self, vals):
        """Override to leave a text alone that stays as it is.

        Core writes the text of each SMS of a campaign, whether it has links or not, and
        each would be counted and stored once more.
        """
        if vals.keys() == {"body"} and all(sms.body == vals["body"] for sms in self):
            return True
        return super().write(vals)

    @api.model
    def _get_sms_ovh_choice(self, company, mailing, kind, sender_id, clause):
        """Return as whom, as what kind and with which clause an SMS is sent.

        :param company: `res.company` that sends it
        :param mailing: `mailing.mailing` it is of, or empty
        :param str|None kind: its own, where that is chosen
        :param int|None sender_id: likewise
        :param bool|None clause: likewise
        :return: values of the SMS, none where others than OVHcloud send it
        :rtype: dict
        """
        # sudo: who may send an SMS need not be allowed to see the account.
        company_sudo = company.sudo()
        account_sudo = company_sudo.sms_ovh_account_id
        if not account_sudo:
            return {}
        context = self.env.context
        kind = (
            kind
            or mailing.sms_ovh_kind
            or context.get("sms_ovh_kind")
            or company_sudo.sms_ovh_message_kind
        )
        # No sender of another company's account, where one action sends for several.
        sender_sudo = (
            self.env["sms.ovh.sender"]
            .sudo()
            .browse(
                sender_id
                or mailing.sms_ovh_sender_id.id
                or context.get("sms_ovh_sender_id")
                or []
            )
        )
        if sender_sudo.exists().account_id != account_sudo:
            sender_sudo = account_sudo.default_sender_id
        if clause is None:
            clause = kind == "marketing" and sender_sudo.has_stop_clause
        return {
            "sms_ovh_kind": kind,
            "sms_ovh_sender_id": sender_sudo.id,
            "sms_ovh_stop_clause": clause,
        }

    @api.model
    def _write_sms_ovh_gsm7(self, body, company):
        """Return the text of an SMS in GSM-7, where all of it is to be.

        What was only typed was not rendered; what was is in GSM-7 already.

        :param str body: text of the SMS
        :param company: `res.company` that sends it
        :rtype: str
        """
        # sudo: who may send an SMS need not be allowed to see the company's settings.
        choice = self.env.context.get("sms_ovh_gsm7") or company.sudo().sms_ovh_gsm7
        return write_gsm7(body, ALL) if body and choice == ALL else body

    @api.model
    def _hold_sms_ovh_values(self, vals, company):
        """Say in the values of an SMS until when it has to wait, if it has to.

        :param dict vals: what it is created with, which is changed
        :param company: `res.company` that sends it
        """

    # ------------------------------------------------------------
    # What it counts
    # ------------------------------------------------------------

    @api.depends("record_company_id.sms_ovh_account_id")
    @api.depends_context("company")
    def _compute_sms_ovh_in_use(self):
        for sms in self:
            company = sms.record_company_id or self.env.company
            sms.sms_ovh_in_use = company.sms_ovh_account_id

    @api.depends("sms_ovh_stop_clause")
    def _compute_sms_ovh_stop_counted(self):
        for sms in self:
            sms.sms_ovh_stop_counted = sms.sms_ovh_stop_clause

    @api.depends("body", "sms_ovh_stop_clause")
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    def _update_body_short_links(self):
        """Override of `mass_mailing_sms` to tell short links as phones read them.

        Core takes the full stop after one into it, and adds the SMS's id behind that.
        """
        ovh_sms, others = self._sms_ovh_split()
        bodies = super(SmsSms, others)._update_body_short_links()
        base_url = self.env["sms.sms"].get_base_url()
        for sms in ovh_sms:
            bodies[sms.id] = (
                append_visitor(sms.body, base_url, sms.id)
                if sms.mailing_id and sms.body
                else sms.body
            )
        return bodies

    # ------------------------------------------------------------
    # Which account sends
    # ------------------------------------------------------------

    def _get_sms_company(self):
        """Override of `sms` to go by the company that was known on creation."""
        without = self.filtered(lambda sms: not sms.record_company_id)
        companies = (self - without).record_company_id
        if without or not self:
            companies |= super(SmsSms, without)._get_sms_company()
        return companies

    def _sms_ovh_get_record_countries(self):
        """Return in which country the number of each SMS is, as far as records tell.

        Only of those whose number is not in E.164: few, since core reads numbers first.
        What it could not read in the contact's country must not be read in another.

        :return: ISO code by the id of the SMS
        :rtype: dict[int, str]
        """
        national = self.filtered(
            lambda sms: sms.number and not sms.number.startswith("+")
        )
        # sudo: the country of who is written to, for whoever sends.
        national_sudo = national.sudo()
        countries = {
            sms.id: sms.partner_id.country_id.code
            for sms in national_sudo
            if sms.partner_id.country_id
        }
        others = national_sudo.filtered(lambda sms: sms.id not in countries)
        for model, sms in others.grouped(lambda sms: sms.mail_message_id.model).items():
            if not model or model not in self.env:
                continue
            ids = sms.mail_message_id.mapped("res_id")
            by_record = self.env[model].sudo().browse(ids).exists()._phone_get_country()
            for record in sms:
                if country := by_record.get(record.mail_message_id.res_id):
                    countries[record.id] = country.code
        return countries

    def _split_by_api(self):
        """Override of `sms` to send each SMS by the account of its company."""
        by_account = self._sms_ovh_group()
        others = by_account.pop(self.env["sms.ovh.account"], self.browse())
        for account, account_sms in by_account.items():
            groups = account_sms.grouped(
                lambda sms: (sms.sms_ovh_sender_id, sms.sms_ovh_stop_clause)
            )
            for (sender, clause), sms in groups.items():
                api_ovh = SmsApiOvh(
                    self.env, account=account, stop_clause=clause, sender=sender
                )
                yield api_ovh, sms
        if others:
            yield from super(SmsSms, others)._split_by_api()

    def _sms_ovh_group(self):
        """Return the SMS by the account that sends them, none where others do."""
        ids_by_account = defaultdict(list)
        for company, company_sms in self.grouped("record_company_id").items():
            groups = {company: company_sms}
            if not company:
                groups = company_sms.grouped(lambda sms: sms._get_sms_company())
            for sender, sms in groups.items():
                # sudo: who may send an SMS need not be allowed to see the account.
                account_sudo = sender.sudo().sms_ovh_account_id
                ids_by_account[account_sudo] += sms.ids
        return {
            account_sudo: self.browse(ids).with_prefetch(self._prefetch_ids)
            for account_sudo, ids in ids_by_account.items()
        }

    def _sms_ovh_split(self):
        """Return the SMS of companies that send through OVHcloud, and the others."""
        others = self._sms_ovh_group().get(self.env["sms.ovh.account"], self.browse())
        return self - others, others

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    # pylint: disable-next=missing-return
    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms` to send by way of the outbox, after the commit.

        Nothing is posted inside the caller's transaction: if it is rolled back, nobody
        got an SMS that Odoo knows nothing of.
        """
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split()
        if others:
            super(SmsSms, others).send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )
        ovh_sms = ovh_sms.try_lock_for_update(allow_referencing=True)
        ovh_sms._sms_ovh_claim()._dispatch_after_commit()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms` for who skips `send`: the outbox is the only way out."""
        ovh_sms, others = self._sms_ovh_split()
        ovh_sms._sms_ovh_claim()._dispatch_after_commit()
        if others:
            return super(SmsSms, others)._send(
                unlink_failed=unlink_failed,
                unlink_sent=unlink_sent,
                raise_exception=raise_exception,
            )

    def _sms_ovh_claim(self):
        """Put those of these SMS that are still queued into jobs of the outbox.

        :return: the new `sms.ovh.job`
        """
        # sudo: whether a campaign is paused, for whoever sends.
        due_sudo = self.sudo().filtered_domain(self._get_sms_ovh_queue_domain())
        return due_sudo.sudo(self.env.su)._sms_ovh_claim_due()

    def _sms_ovh_claim_due(self):
        """Put these SMS, which are queued, into jobs; those that may leave now.

        :return: the new `sms.ovh.job`
        """
        return self.env["sms.ovh.job"]._claim(self._sms_ovh_hold())

    @api.model
    def _get_sms_ovh_queue_domain(self):
        """Return the domain of queued SMS that nobody stopped."""
        return [
            *QUEUE_DOMAIN,
            ("mailing_id", "not any", [("sms_ovh_paused", "=", True)]),
        ]

    def _sms_ovh_claim_for_cron(self):
        """Put queued SMS into jobs.

        :return: how many jobs, and whether OCA's `queue_job` posts them
        :rtype: tuple[int, bool]
        """
        locked = self.try_lock_for_update(allow_referencing=True)
        # What another worker has sent meanwhile is queued no more.
        due = self.search_fetch(
            [("id", "in", locked.ids), *self._get_sms_ovh_queue_domain()],
            CLAIM_FIELDS,
            order="id",
        )
        jobs = due._sms_ovh_claim_due()
        return len(jobs), jobs._delay()

    @api.model
    def _process_queue(self):
        """Override of `sms` to split the queue by company, which core does not.

        Core sends the whole queue with one provider: with two companies in it that
        raises, and one that is not the environment's is sent from the wrong account.
        Here what OVHcloud sends goes to the outbox, a piece at a time and committed
        before any of it is posted, and the rest to its own providers.
        """
        other_ids = []
        feed = self._sms_ovh_feed(other_ids)
        __, delayed = next(feed, (0, None))
        if delayed:
            for __ in feed:
                pass
        elif delayed is not None:
            deadline = time.monotonic() + const.CRON_SECONDS
            sent = self.env["sms.ovh.job"]._dispatch(
                feed=(count for count, __ in feed), deadline=deadline
            )
            if sent:
                # So that the SMS left are those after this queue.
                self.env.ref("sms_ovh.ir_cron_synchronise")._trigger()
            if time.monotonic() > deadline:
                # The rest goes by the next run, before Odoo ends this one's worker.
                self.env.ref("sms_ovh.ir_cron_post_jobs")._trigger()
                self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger()
        for slice_ids in split_every(QUEUE_BATCH_SIZE, other_ids):
            for sms_api, sms in self.browse(slice_ids)._split_by_api():
                for batch_ids in sms._split_batch():
                    batch = self.browse(batch_ids).try_lock_for_update()
                    batch.filtered_domain(QUEUE_DOMAIN).with_context(
                        sms_api=sms_api
                    )._send(unlink_failed=False, unlink_sent=True)
                    # What this batch sent is sent.
                    self.env.cr.commit()  # pylint: disable=invalid-commit
            if not self._sms_ovh_commit_progress(len(slice_ids)):
                break

    @api.model
    def _sms_ovh_feed(self, other_ids):
        """Put the queue into the outbox, a piece at a time, each committed.

        :param list other_ids: gets the ids of those that other providers send
        :return: iterator; what :meth:`_sms_ovh_claim_for_cron` says of each piece
        """
        last_id = 0
        while True:
            queue = self.search_fetch(
                [*self._get_sms_ovh_queue_domain(), ("id", ">", last_id)],
                ["body", "record_company_id"],
                order="id",
                limit=QUEUE_BATCH_SIZE,
            )
            if not queue:
                return
            last_id = queue[-1].id
            ovh_sms, others = queue._sms_ovh_split()
            other_ids += others.ids
            # Nothing of a piece is needed for the next: memory stays flat.
            left = len(ovh_sms)
            for piece_ids in ovh_sms._sms_ovh_split_pieces():
                piece = self.browse(piece_ids)
                claimed = transaction.transact(self.env, piece._sms_ovh_claim_for_cron)
                left -= len(piece_ids)
                # At once: a cron that was ended three times without having told of
                # anything done counts as failed, and is not run for an hour.
                in_time = self.env["ir.cron"]._commit_progress(
                    len(piece_ids), remaining=left
                )
                yield claimed
                if not in_time:
                    break
            if ovh_sms and not self._sms_ovh_commit_progress(0):
                return

    def _sms_ovh_split_pieces(self):
        """Split into pieces that are quickly put into jobs, equal texts together.

        :return: ids of each piece
        :rtype: list[list[int]]
        """
        pieces = []
        room = jobs = 0
        for sms in self.grouped("body").values():
            for ids in split_every(const.MAX_RECEIVERS_PER_JOB, sms.ids):
                if room < len(ids) or not jobs:
                    pieces.append([])
                    room, jobs = PIECE_SIZE, PIECE_JOBS
                pieces[-1] += ids
                room -= len(ids)
                jobs -= 1
        return pieces

    @api.model
    def _sms_ovh_commit_progress(self, count):
        """Tell the cron how far it is. See `ir.cron._commit_progress`.

        :param int count: SMS treated since the last time
        """
        remaining = self.search_count(
            self._get_sms_ovh_queue_domain(), limit=QUEUE_BATCH_SIZE
        )
        return self.env["ir.cron"]._commit_progress(count, remaining=remaining)

    # ------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_apply_results(self, results, account=None):
        """Write down what became of SMS on them, their notifications and traces.

        :param list results: dicts as :meth:`SmsApiOvh._send_sms_batch` returns them,
            those of accepted SMS with the id of their job as ``sms_ovh_job_id``
        :param account: `sms.ovh.account` that answered, none if it was never asked
        """
        # The chatter is told once, at the end.
        self = self.with_context(sms_skip_msg_notification=True)
        accepted = []
        refused = defaultdict(list)
        for result in results:
            if result["state"] == "success":
                accepted.append(
                    (result["uuid"], result["sms_ovh_id"], result["sms_ovh_job_id"])
                )
            else:
                outcome = result["state"], result["failure_reason"]
                refused[outcome].append(result["uuid"])
        messages = self.env["mail.message"]
        if accepted:
            messages |= self._sms_ovh_set_accepted(accepted, account)
        for (state, reason), uuids in refused.items():
            messages |= self._sms_ovh_set_refused(uuids, state, reason, account)
        messages._notify_message_notification_update()

    # In SQL what is done to each SMS of a campaign, a set at a time: the ORM takes each
    # with values of its own as a write of its own, and sends a row for each even where
    # all get the same. That would be most of the time that sending takes.

    def _sms_ovh_set_claimed(self, job_ids):
        """Write down that these are in the outbox.

        :param dict job_ids: id of the `sms.ovh.job` by id of the SMS
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_sms
                   SET state = 'process', failure_type = NULL,
                       sms_ovh_job_id = claimed.job_id,
                       write_uid = %(uid)s, write_date = %(now)s
                  FROM unnest(%(ids)s::int[], %(job_ids)s::int[])
                       AS claimed (id, job_id)
                 WHERE sms_sms.id = claimed.id
             RETURNING mailing_id, CASE WHEN mail_message_id IS NULL THEN NULL ELSE uuid END
                """,
                ids=list(job_ids),
                job_ids=list(job_ids.values()),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(
            ["state", "failure_type", "sms_ovh_job_id", "write_uid", "write_date"],
            flush=False,
        )
        # sudo: the campaign, whoever sends. As core does of what it hands over.
        mailings_sudo = (
            self.env["mailing.mailing"]
            .sudo()
            .browse({id_ for id_, __ in rows} - {None})
        )
        mailings_sudo.fetch(["state"])
        mailings_sudo.filtered(
            lambda mailing: mailing.state != "sending"
        ).state = "sending"
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo()._sms_ovh_set_claimed(
            [uuid for __, uuid in rows if uuid]
        )

    @api.model
    def _sms_ovh_set_accepted(self, accepted, account):
        """Write down what OVHcloud accepted.

        :param list accepted: UUID, OVHcloud's id and id of the `sms.ovh.job` of each
        :param account: `sms.ovh.account` that sent them
        :return: the `mail.message` that they are of
        """
        self.flush_model()
        uuids, ovh_ids, __ = zip(*accepted, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                WITH moved AS (
                    UPDATE sms_sms
                       SET state = 'pending', failure_type = NULL, to_delete = TRUE,
                           sms_ovh_failure_reason = NULL, sms_ovh_id = accepted.id,
                           sms_ovh_account_id = %(account)s,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM unnest(%(uuids)s::varchar[], %(ids)s::varchar[])
                           AS accepted (uuid, id)
                     WHERE sms_sms.uuid = accepted.uuid AND state != 'sent'
                 RETURNING mail_message_id
                )
                SELECT mail_message_id FROM moved WHERE mail_message_id IS NOT NULL
                """,
                uuids=list(uuids),
                ids=list(ovh_ids),
                account=account.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo()._sms_ovh_set_accepted(accepted, account)
        return self.env["mail.message"].browse({row[0] for row in rows})

    @api.model
    def _sms_ovh_set_refused(self, uuids, state, reason, account):
        """Write down why these were not sent.

        :param list uuids: UUIDs
        :param str state: what `SmsApiOvh` calls the failure
        :param str|bool reason: sentence on the failure
        :param account: `sms.ovh.account` that refused them, none if it was never asked
        :return: the `mail.message` that they are of
        """
        sms = self.search([("uuid", "in", uuids), ("state", "!=", "sent")])
        failure_type = SmsApiOvh.PROVIDER_TO_SMS_FAILURE_TYPE.get(state, "unknown")
        sms.write(
            {
                "state": "error",
                "failure_type": failure_type,
                "sms_ovh_failure_reason": reason,
                "sms_ovh_id": False,
                "sms_ovh_account_id": account and account.id,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = self.env["sms.tracker"].sudo()
        trackers_sudo.search([("sms_uuid", "in", uuids)])._sms_ovh_set_refused(
            state, reason, account
        )
        return sms.mail_message_id

    def _sms_ovh_update(self, state, failure_type, failure_reason, ptt):
        """Move these SMS forward to what a delivery report says.

        :param str state: state that the report means
        :param str|bool failure_type: why, where it is an error
        :param str|bool failure_reason: OVHcloud's words on it
        :param int ptt: OVHcloud's code
        :return: the SMS that moved
        """
        rank = const.STATE_RANK[state]
        moved = self.filtered(lambda sms: const.STATE_RANK[sms.state] < rank)
        moved.write(
            {
                "state": state,
                "failure_type": failure_type,
                "sms_ovh_failure_reason": failure_reason,
                "sms_ovh_ptt": ptt,
            }
        )
        return moved

    def resend_failed(self):
        """Override of `sms` to tell how many are sent again: core counts others."""
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split()
        if others:
            return super().resend_failed()
        failed = ovh_sms.filtered(
            lambda sms: sms.state == "error" and not sms.to_delete
        )
        failed.action_set_outgoing()
        failed.send()
        refused = failed.filtered(lambda sms: sms.state == "error")
        if not failed:
            kind, message = "danger", self.env._("There are no failed SMS to resend.")
        elif refused:
            kind = "warning"
            message = self.env._(
                "%(sent)s of %(total)s SMS are sent again. Open the others to see what"
                " to correct.",
                sent=len(failed) - len(refused),
                total=len(failed),
            )
        else:
            kind = "success"
            message = self.env._("%s SMS are sent again.", len(failed))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
