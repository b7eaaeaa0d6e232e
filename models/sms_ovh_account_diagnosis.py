"""A text about an account, to hand to whoever helps: all but secrets and customers."""

import platform
import re
from collections import Counter
from datetime import timedelta
from functools import partial
from importlib import metadata
from urllib.parse import urlsplit

from odoo import fields, models, release
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
# What connects, and whether there is one: never what it is.
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
# What OVHcloud's words may hold: numbers of six digits or more, however written,
# addresses, and what is long enough to be a key.
SCRUB = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[e-mail]"),
    (re.compile(r"https?://\S+"), "[address]"),
    (re.compile(r"\+?\d(?:[\s().-]{0,2}\d){5,}"), "[number]"),
    (re.compile(r"[A-Za-z0-9_-]{24,}"), "[long word]"),
)


class SmsOvhAccount(models.Model):
    _inherit = "sms.ovh.account"

    def action_diagnose(self):
        """Open the diagnosis, to be read and copied.

        :rtype: dict
        """
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Diagnosis"),
            "res_model": "sms.ovh.diagnosis",
            "view_mode": "form",
            "target": "new",
            "context": {"default_account_id": self.id, "dialog_size": "medium"},
        }

    def _get_diagnosis(self):
        """Return what one who helps has to know, and nothing that he must not.

        No secret, no phone number, no text of an SMS and no name of a customer. Always
        in English: who helps need not speak the user's language.

        :rtype: str
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: settings of the server and what its scheduled actions did; of the keys,
        # only whether there are any.
        account_sudo = self.sudo().with_context(lang="en_US")
        sections = {
            "Versions": account_sudo._diagnose_versions(),
            "Server": account_sudo._diagnose_server(),
            "Account": account_sudo._diagnose_account(),
            "Callbacks": account_sudo._diagnose_callbacks(),
            "Queue": account_sudo._diagnose_queue(),
            "Scheduled actions": account_sudo._diagnose_crons(),
            "Last errors": account_sudo._diagnose_errors(),
        }
        lines = [
            f"Diagnosis of OVHcloud SMS, {self._show_date(fields.Datetime.now())}",
            "Without keys, phone numbers and texts of SMS.",
        ]
        for title, section in sections.items():
            lines += ["", title, *(f"- {line}" for line in section or ["none"])]
        return "\n".join(lines)

    # ------------------------------------------------------------
    # How things are shown
    # ------------------------------------------------------------

    @staticmethod
    def _show_date(value):
        return f"{value:%Y-%m-%d %H:%M} UTC" if value else "never"

    def _scrub(self, words, *hidden):
        """Return somebody's words without what must not be handed on.

        :param str|bool words: what OVHcloud, or Odoo about it, said
        :param hidden: texts that must not be in it
        """
        self.ensure_one()
        words = words or ""
        for text in (*hidden, *(self[name] for name in SECRET_FIELDS)):
            if text:
                words = words.replace(text, "[hidden]")
        for regex, replacement in SCRUB:
            words = regex.sub(replacement, words)
        words = " ".join(words.split())
        return words[:WORDS_SHOWN] + ("…" if len(words) > WORDS_SHOWN else "")

    # ------------------------------------------------------------
    # Sections
    # ------------------------------------------------------------

    def _diagnose_versions(self):
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

    def _diagnose_server(self):
        get_param = self.env["ir.config_parameter"].get_param
        address = urlsplit(self.get_base_url())
        parameters = [
            f"{parameter.key} = {self._scrub(parameter.value)}"
            for parameter in self.env["ir.config_parameter"].search(
                [("key", "=like", "sms_ovh.%")], order="key"
            )
        ]
        return [
            f"Address: {address.scheme}://{address.hostname}"
            + (", not reachable from the Internet" * self.delivery_unreachable),
            f"Workers {config['workers']}, threads for scheduled actions"
            f" {config['max_cron_threads']}, time limit {config['limit_time_real']} s",
            "Neutralised copy: "
            + ("yes" if get_param("database.is_neutralized") else "no"),
            f"Parameters set: {', '.join(parameters) or 'none'}",
        ]

    def _diagnose_account(self):
        users = self.user_ids.filtered("active")
        senders = Counter(
            f"{sender.type} {sender.status}" for sender in self.sender_ids
        )
        companies = self.env["res.company"].search_count(
            [("sms_ovh_account_id", "=", self.id)]
        )
        present = [name for name in SECRET_FIELDS if self[name]]
        sender = self.default_sender_id
        show = partial(format_credits, self.env)
        return [
            f"{self.service_name or 'no service'}, {self.state}"
            + ", archived" * (not self.active),
            f"It says: {self._scrub(self.state_message) or 'nothing'}",
            f"Connects by {self.auth_method} to {self.endpoint}; set:"
            f" {', '.join(present) or 'nothing'}; application of the server:"
            f" {'yes' if self.application_from_server else 'no'}; ends:"
            f" {self._show_date(self.credential_expiration)}",
            f"Read from OVHcloud: {self._show_date(self.last_sync)}",
            f"Companies that send with it: {companies}",
            f"Sending stopped: {self.pause_reason or 'no'}"
            f" {self._scrub(self.pause_message)}".rstrip(),
            f"SMS left {show(self.credits_left)}, held by quotas"
            f" {show(self.credits_held_by_quota)}, automatic recharge "
            + (
                f"below {show(self.recharge_threshold)}"
                if self.auto_recharge
                else "off"
            ),
            f"Sender: {f'{sender.type} {sender.status}' if sender else 'none'}; all:"
            f" {self._show_counts(senders)}",
            f"API users: {len(users)}, with a quota"
            f" {len(users.filtered('quota_active'))}; sends as one:"
            f" {'yes' if self.default_user_id else 'no'}",
        ]

    def _diagnose_callbacks(self):
        Event = self.env["sms.ovh.event"]
        day_ago = fields.Datetime.now() - timedelta(days=1)
        states = {
            "delivery": self.callback_state,
            "stop": self.stop_callback_state,
            "reply": self.reply_callback_state,
        }
        last = {
            kind: date
            for kind, date in Event._read_group(
                [("account_id", "=", self.id)], ["kind"], ["create_date:max"]
            )
        }
        today = dict(
            Event._read_group(
                [("account_id", "=", self.id), ("create_date", ">=", day_ago)],
                ["kind"],
                ["__count"],
            )
        )
        lines = [
            f"{kind}: {state}, last received {self._show_date(last.get(kind))},"
            f" {today.get(kind, 0)} in 24 hours"
            for kind, state in states.items()
        ]
        inbox = {
            state: (count, date)
            for state, count, date in Event._read_group(
                [("account_id", "=", self.id)],
                ["state"],
                ["__count", "create_date:min"],
            )
        }
        shown = [
            f"{state} {count} (since {self._show_date(date)})"
            for state, (count, date) in inbox.items()
        ]
        taken = self.env["sms.ovh.log"].search_count(
            [("account_id", "=", self.id), ("date", ">=", day_ago)]
        )
        tracker_domain = [("sms_ovh_account_id", "=", self.id)]
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
            f"Replies and STOP read from OVHcloud: {self._show_date(self.answers_read_at)}",
        ]

    def _diagnose_queue(self):
        jobs = [
            f"{state} {count} (since {self._show_date(date)})"
            for state, count, date in self.env["sms.ovh.job"]._read_group(
                [("account_id", "=", self.id)],
                ["state"],
                ["__count", "create_date:min"],
            )
        ]
        due = self.env["sms.ovh.job"].search(
            [
                ("account_id", "=", self.id),
                ("state", "in", ("queued", "unknown")),
                ("next_attempt", "!=", False),
            ],
            order="next_attempt",
            limit=1,
        )
        companies = self.env["res.company"].search(
            [("sms_ovh_account_id", "=", self.id)]
        )
        sms = [
            f"{state} {count} (since {self._show_date(date)})"
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
            f"Next attempt: {self._show_date(due.next_attempt)}",
            f"SMS that wait: {', '.join(sms) or 'none'}",
            f"Campaigns: {', '.join(mailings) or 'none'}",
        ]

    def _diagnose_crons(self):
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
            f" {self._show_date(cron.lastcall)}, next {self._show_date(cron.nextcall)}"
            + f", failed {cron.failure_count} times"
            * bool(cron.failure_count)
            for cron in crons
        ]

    def _diagnose_errors(self):
        jobs = self.env["sms.ovh.job"].search(
            [("account_id", "=", self.id), ("error", "!=", False)],
            order="write_date desc, id desc",
            limit=ERRORS_SHOWN,
        )
        return [
            f"{self._show_date(job.write_date)}, {job.state}, attempts {job.attempts},"
            f" query id {job.query_id or 'none'}: {self._scrub(job.error, job.body)}"
            for job in jobs
        ]

    @staticmethod
    def _show_counts(counts):
        """Return a Counter as a text."""
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
