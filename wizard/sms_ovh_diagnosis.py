"""A report on an account for support: everything but secrets and customers."""

import platform
import re
from collections import Counter
from datetime import timedelta
from functools import partial
from importlib import metadata
from urllib.parse import urlsplit

from odoo import api, fields, models, release
from odoo.tools import SQL, config

from ..tools.credits import format_credits

LIBRARIES = ("ovh", "oauthlib", "phonenumbers", "requests", "urllib3")
# Modules that change how SMS are sent.
NEIGHBOURS = ("sms_twilio", "queue_job", "mass_mailing_sms", "sms")
# Odoo's own scheduled actions that the addon needs.
CORE_CRONS = (
    "sms.ir_cron_sms_scheduler_action",
    "mass_mailing.ir_cron_mass_mailing_queue",
)
# Credentials, of which only the presence is shown, never the value.
SECRET_FIELDS = (
    "application_key",
    "application_secret",
    "consumer_key",
    "pending_consumer_key",
    "client_id",
    "client_secret",
    "http_login",
    "http_password",
)
ERRORS_SHOWN = 10
WORDS_SHOWN = 200  # characters
# What OVHcloud's words may contain: numbers of six digits or more, however written,
# addresses, and words long enough to be a key.
SCRUB = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[e-mail]"),
    (re.compile(r"https?://\S+"), "[address]"),
    (re.compile(r"\+?\d(?:[\s().-]{0,2}\d){5,}"), "[number]"),
    (re.compile(r"[A-Za-z0-9_-]{24,}"), "[long word]"),
)


def show_date(value):
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "never"


def show_counts(counts):
    """Return a Counter as a text."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


class SmsOvhDiagnosis(models.TransientModel):
    """Shows the diagnosis of an account for copying; it is not stored."""

    _name = "sms.ovh.diagnosis"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Diagnosis of an OVHcloud SMS Account"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    text = fields.Text(string="Diagnosis", compute="_compute_text")
    everybody_edits_templates = fields.Boolean(
        compute="_compute_everybody_edits_templates", groups="base.group_system"
    )

    @api.depends("account_id")
    def _compute_text(self):
        for diagnosis in self:
            account = diagnosis.account_id
            diagnosis.text = account and self._get_diagnosis(account)

    @api.depends("account_id")
    def _compute_everybody_edits_templates(self):
        self.everybody_edits_templates = self._is_everybody_template_editor()

    @api.model
    def _is_everybody_template_editor(self):
        """Return whether all employees may write expressions that Odoo evaluates.

        Odoo allows that to template editors, who can thereby read the database, keys of
        accounts included. No employee is one unless an administrator lifts the
        restriction.
        """
        employees, editors = (
            self.env.ref(xmlid, raise_if_not_found=False)
            for xmlid in ("base.group_user", "mail.group_mail_template_editor")
        )
        return bool(employees and editors and editors in employees.all_implied_ids)

    def _get_diagnosis(self, account):
        """Return what support has to know, and nothing that it must not.

        The text has no secret, no phone number, no text of an SMS and no customer's
        name. It is always in English: support need not speak the user's language.

        :rtype: str
        """
        account.ensure_one()
        account.check_access("write")
        # sudo: settings of the server and what its scheduled actions did; of the keys,
        # only whether there are any.
        account_sudo = account.sudo().with_context(lang="en_US")
        self = self.with_env(account_sudo.env)
        sections = {
            "Versions": self._diagnose_versions(account_sudo),
            "Server": self._diagnose_server(account_sudo),
            "Account": self._diagnose_account(account_sudo),
            "Callbacks": self._diagnose_callbacks(account_sudo),
            "Queue": self._diagnose_queue(account_sudo),
            "Scheduled actions": self._diagnose_crons(account_sudo),
            "Last errors": self._diagnose_errors(account_sudo),
        }
        lines = [
            f"Diagnosis of OVHcloud SMS, {show_date(fields.Datetime.now())}",
            "Without keys, phone numbers and texts of SMS.",
        ]
        for title, section in sections.items():
            lines += ["", title, *(f"- {line}" for line in section or ["none"])]
        return "\n".join(lines)

    def _scrub(self, account_sudo, words, *hidden):
        """Return a message without what must not be passed on.

        :param account_sudo: `sms.ovh.account` whose secrets must not be in it
        :param str|bool words: message of OVHcloud, or of Odoo about it
        :param hidden: further texts that must not be in it
        """
        words = words or ""
        for text in (*hidden, *(account_sudo[name] for name in SECRET_FIELDS)):
            if text:
                words = words.replace(text, "[hidden]")
        for regex, replacement in SCRUB:
            words = regex.sub(replacement, words)
        words = " ".join(words.split())
        return words[:WORDS_SHOWN] + ("…" if len(words) > WORDS_SHOWN else "")

    def _diagnose_versions(self, account_sudo):
        modules = {
            module.name: module.installed_version
            for module in self.env["ir.module.module"].search(
                [
                    ("name", "in", ("sms_ovh", *NEIGHBOURS)),
                    ("state", "=", "installed"),
                ]
            )
        }
        ((postgresql,),) = self.env.execute_query(SQL("SHOW server_version"))
        libraries = []
        for name in LIBRARIES:
            try:
                libraries.append(f"{name} {metadata.version(name)}")
            except metadata.PackageNotFoundError:
                libraries.append(f"{name} unknown")
        return [
            f"sms_ovh {modules.pop('sms_ovh', 'not installed')}",
            f"Odoo {release.version}, Python {platform.python_version()},"
            f" PostgreSQL {postgresql}",
            f"Libraries: {', '.join(libraries)}",
            f"Beside it: {', '.join(sorted(modules))}",
        ]

    def _diagnose_server(self, account_sudo):
        get_param = self.env["ir.config_parameter"].get_param
        address = urlsplit(account_sudo.get_base_url())
        parameters = [
            f"{parameter.key} = {self._scrub(account_sudo, parameter.value)}"
            for parameter in self.env["ir.config_parameter"].search(
                [("key", "=like", "sms_ovh.%")], order="key"
            )
        ]
        return [
            f"Address: {address.scheme}://{address.hostname}"
            + (", not reachable from the Internet" * account_sudo.delivery_unreachable),
            f"Workers {config['workers']}, threads for scheduled actions"
            f" {config['max_cron_threads']}, time limit {config['limit_time_real']} s",
            "Neutralised copy: "
            + ("yes" if get_param("database.is_neutralized") else "no"),
            f"Parameters set: {', '.join(parameters) or 'none'}",
            "Templates with expressions are written by: "
            + (
                "every employee"
                if self._is_everybody_template_editor()
                else "their editors"
            ),
        ]

    def _diagnose_account(self, account_sudo):
        users = account_sudo.api_user_ids.filtered("active")
        senders = Counter(
            f"{sender.type} {sender.status}" for sender in account_sudo.sender_ids
        )
        companies = self.env["res.company"].search_count(
            [("sms_ovh_account_id", "=", account_sudo.id)]
        )
        present = [name for name in SECRET_FIELDS if account_sudo[name]]
        sender = account_sudo.default_sender_id
        show = partial(format_credits, self.env)
        return [
            f"{account_sudo.service_name or 'no service'}, {account_sudo.state}"
            + ", archived" * (not account_sudo.active),
            f"It says: {self._scrub(account_sudo, account_sudo.state_message) or 'nothing'}",
            f"Connects by {account_sudo.auth_method} to {account_sudo.endpoint}; set:"
            f" {', '.join(present) or 'nothing'}; application of the server:"
            f" {'yes' if account_sudo.application_from_server else 'no'}; ends:"
            f" {show_date(account_sudo.credential_expiration)}",
            f"Read from OVHcloud: {show_date(account_sudo.last_sync)}",
            f"Companies that send with it: {companies}",
            f"Sending stopped: {account_sudo.pause_reason or 'no'}"
            f" {self._scrub(account_sudo, account_sudo.pause_message)}".rstrip(),
            f"SMS left {show(account_sudo.credits_left)}, held by quotas"
            f" {show(account_sudo.credits_held_by_quota)}, automatic recharge "
            + (
                f"below {show(account_sudo.recharge_threshold)}"
                if account_sudo.auto_recharge
                else "off"
            ),
            f"Sender: {f'{sender.type} {sender.status}' if sender else 'none'}; all:"
            f" {show_counts(senders)}",
            f"API users: {len(users)}, with a quota"
            f" {len(users.filtered('quota_active'))}; sends as one:"
            f" {'yes' if account_sudo.default_api_user_id else 'no'}",
        ]

    def _diagnose_callbacks(self, account_sudo):
        Event = self.env["sms.ovh.event"]
        day_ago = fields.Datetime.now() - timedelta(days=1)
        states = {
            "delivery": account_sudo.callback_state,
            "stop": account_sudo.stop_callback_state,
            "reply": account_sudo.reply_callback_state,
        }
        last = {
            kind: date
            for kind, date in Event._read_group(
                [("account_id", "=", account_sudo.id)], ["kind"], ["create_date:max"]
            )
        }
        today = dict(
            Event._read_group(
                [("account_id", "=", account_sudo.id), ("create_date", ">=", day_ago)],
                ["kind"],
                ["__count"],
            )
        )
        lines = [
            f"{kind}: {state}, last received {show_date(last.get(kind))},"
            f" {today.get(kind, 0)} in 24 hours"
            for kind, state in states.items()
        ]
        inbox = {
            state: (count, date)
            for state, count, date in Event._read_group(
                [("account_id", "=", account_sudo.id)],
                ["state"],
                ["__count", "create_date:min"],
            )
        }
        shown = [
            f"{state} {count} (since {show_date(date)})"
            for state, (count, date) in inbox.items()
        ]
        taken = self.env["sms.ovh.log"].search_count(
            [("account_id", "=", account_sudo.id), ("date", ">=", day_ago)]
        )
        tracker_domain = [("sms_ovh_account_id", "=", account_sudo.id)]
        Tracker = self.env["sms.tracker"]
        asked = Tracker.search_count(
            [*tracker_domain, ("sms_ovh_poll_at", "!=", False)]
        )
        silent = Tracker.search_count(
            [*tracker_domain, ("sms_ovh_no_report", "=", True)]
        )
        return [
            *lines,
            f"Inbox: {', '.join(shown) or 'empty'}",
            f"SMS sent or refused in 24 hours: {taken}; without a final report yet:"
            f" {asked}; that never got one: {silent}",
            f"Replies and STOP read from OVHcloud: {show_date(account_sudo.answers_read_at)}",
        ]

    def _diagnose_queue(self, account_sudo):
        jobs = [
            f"{state} {count} (since {show_date(date)})"
            for state, count, date in self.env["sms.ovh.job"]._read_group(
                [("account_id", "=", account_sudo.id)],
                ["state"],
                ["__count", "create_date:min"],
            )
        ]
        due = self.env["sms.ovh.job"].search(
            [
                ("account_id", "=", account_sudo.id),
                ("state", "in", ("queued", "unknown")),
                ("next_attempt", "!=", False),
            ],
            order="next_attempt",
            limit=1,
        )
        companies = self.env["res.company"].search(
            [("sms_ovh_account_id", "=", account_sudo.id)]
        )
        sms = [
            f"{state} {count} (since {show_date(date)})"
            for state, count, date in self.env["sms.sms"]._read_group(
                [
                    ("record_company_id", "in", companies.ids),
                    ("state", "in", ("outgoing", "process")),
                ],
                ["state"],
                ["__count", "create_date:min"],
            )
        ]
        mailings = [
            f"{state} {count}"
            for state, count in self.env["mailing.mailing"]._read_group(
                [
                    ("mailing_type", "=", "sms"),
                    ("sms_ovh_company_id", "in", companies.ids),
                ],
                ["state"],
                ["__count"],
            )
        ]
        return [
            f"Jobs: {', '.join(jobs) or 'none'}",
            f"Next attempt: {show_date(due.next_attempt)}",
            f"SMS that wait: {', '.join(sms) or 'none'}",
            f"Campaigns: {', '.join(mailings) or 'none'}",
        ]

    def _diagnose_crons(self, account_sudo):
        own = self.env["ir.model.data"].search(
            [("module", "=", "sms_ovh"), ("model", "=", "ir.cron")]
        )
        crons = (
            self.env["ir.cron"]
            .with_context(active_test=False)
            .browse(own.mapped("res_id"))
            .exists()
        )
        for xmlid in CORE_CRONS:
            crons |= self.env.ref(xmlid, raise_if_not_found=False) or crons.browse()
        return [
            f"{cron.cron_name}: {'on' if cron.active else 'OFF'}, last run"
            f" {show_date(cron.lastcall)}, next {show_date(cron.nextcall)}"
            + f", failed {cron.failure_count} times"
            * bool(cron.failure_count)
            for cron in crons
        ]

    def _diagnose_errors(self, account_sudo):
        jobs = self.env["sms.ovh.job"].search(
            [("account_id", "=", account_sudo.id), ("error", "!=", False)],
            order="write_date desc, id desc",
            limit=ERRORS_SHOWN,
        )
        return [
            f"{show_date(job.write_date)}, {job.state}, attempts {job.attempts},"
            f" query id {job.query_id or 'none'}:"
            f" {self._scrub(account_sudo, job.error, job.body)}"
            for job in jobs
        ]
