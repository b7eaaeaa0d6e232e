from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models

from .. import const
from ..tools.client_actions import open_dialog

CHART_DAYS = 30
OPEN_JOB_STATES = ("queued", "posting", "unknown")
# What the log calls it -> what the dashboard does.
OUTCOMES = {
    "pending": "pending",
    "sent": "delivered",
    "error": "failed",
    "refused": "refused",
    "canceled": "cancelled",
}


class SmsOvhDashboard(models.AbstractModel):
    """The figures of accounts, for those who send SMS: nothing secret is among them."""

    _name = "sms.ovh.dashboard"
    _description = "OVHcloud SMS Dashboard"

    @api.model
    def get_figures(self, account_id=False, sender_id=False):
        """Return what the dashboard shows, as plain data.

        :param int|bool account_id: only this account; by default all that the user's
            companies have
        :param int|bool sender_id: only what this sender sent
        :return: the accounts and senders to choose from, the figures of the month with
            the action that lists each, the last days, and what asks for attention
        :rtype: dict
        """
        self = self.with_context(tz=self.env.tz.zone)
        Account = self.env["sms.ovh.account"]
        Account.check_access("read")
        all_accounts = Account._get_of_companies()
        accounts = all_accounts._filter_shown()
        chosen = accounts.filtered(lambda account: account.id == account_id)
        account_id = chosen.id
        chosen = chosen or accounts
        senders = self.env["sms.ovh.sender"].search([("account_id", "in", chosen.ids)])
        if sender_id not in senders.ids:
            sender_id = False
        today = fields.Date.context_today(self)
        month = today.replace(day=1)
        days = [today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
        by_day = self._get_days(chosen, min(month, days[0]), sender_id)
        tiles = self._get_tiles(chosen, month, by_day, sender_id)
        return {
            "accounts": [self._get_card(account) for account in accounts],
            "account_id": account_id,
            "senders": [
                {"id": sender.id, "name": self._get_sender_name(sender, chosen)}
                for sender in senders
            ],
            "sender_id": sender_id,
            # Only who may enter keys has anything to do there.
            "create_action": self.env.user.has_group("base.group_system")
            and Account.has_access("create")
            and {
                **self._get_action("sms.ovh.account", self.env._("OVHcloud Account")),
                "views": [[False, "form"]],
                "context": {"sms_ovh_form": True},
                # What somebody has begun is gone on with.
                "res_id": (all_accounts - accounts)[:1].id,
            },
            "steps": self._get_steps(chosen, senders, by_day),
            "wishes": self._get_wishes(chosen),
            "month": fields.Date.to_string(month),
            "tiles": tiles,
            "days": [
                {"day": fields.Date.to_string(day), **by_day[day]} for day in days
            ],
            **self._get_attention(chosen, senders),
            "queue": {
                **self._get_queue(chosen),
                "stuck": bool(tiles["planned"]["campaigns"])
                and self._get_stuck(chosen),
            },
        }

    def _get_sender_name(self, sender, accounts):
        """Return what a sender is called among those of these accounts."""
        if len(accounts) == 1:
            return sender.display_name
        return f"{sender.display_name} ({sender.account_id.service_name})"

    def _get_attention(self, accounts, senders):
        """Return the senders that OVHcloud has not enabled, and the action on them."""
        return {
            "attention": [
                {
                    "id": sender.id,
                    "name": sender.display_name,
                    "status": sender.status,
                    "comment": sender.comment or "",
                }
                for sender in senders
                if sender.status in ("waitingValidation", "refused")
            ],
            "attention_action": self._get_action(
                "sms.ovh.sender",
                self.env._("Senders"),
                [
                    ("account_id", "in", accounts.ids),
                    ("status", "in", ("waitingValidation", "refused")),
                ],
            ),
        }

    def _get_action(self, model, name, domain=(), views=("list", "form")):
        """Return the action that lists records, for the web client."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "domain": list(domain),
            "views": [[False, view] for view in views],
            "mobile_view_mode": "kanban" if "kanban" in views else views[0],
        }

    def _get_steps(self, accounts, senders, by_day):
        """Return what is still to be done before an SMS can be sent, the next one first.

        :param accounts: `sms.ovh.account`
        :param senders: `sms.ovh.sender` of these accounts
        :param dict by_day: figures of the last days
        :return: names of steps: ``use``, ``sender``, ``send``
        :rtype: list[str]
        """
        steps = []
        if not accounts:
            return steps
        # sudo: which account a company sends with.
        if not accounts.company_id.sudo().sms_ovh_account_id & accounts:
            steps.append("use")
        if "enable" not in senders.filtered(
            lambda sender: sender.type != "shortcode"
        ).mapped("status"):
            steps.append("sender")
        if not any(any(figures.values()) for figures in by_day.values()) and not (
            self.env["sms.ovh.log"].search_count(
                [("account_id", "in", accounts.ids)], limit=1
            )
        ):
            steps.append("send")
        return steps

    def _get_wishes(self, accounts):
        """Return what a user can want to do, as far as the user may do it.

        :return: each wish's ``name`` and the ``action`` that fulfils it; of buying SMS
            the ``packs``, too
        :rtype: list[dict]
        """
        account = accounts[:1]
        # Of the model: rules on records are for who writes.
        is_admin = accounts.browse().has_access("write")
        connected = accounts.filtered(lambda account: account.state == "connected")
        api = connected.filtered(lambda account: account.auth_method != "http2sms")
        wishes = self._get_sending_wishes()

        def add(name, action, **values):
            wishes.append({"name": name, "action": action, **values})

        if account:
            add(
                "replies",
                self._get_action(
                    "sms.ovh.reply",
                    self.env._("Replies"),
                    views=("list", "kanban", "form"),
                ),
            )
        if account.service_name:
            add(
                "buy",
                {
                    "type": "ir.actions.act_url",
                    "url": const.ORDER_URL % account.service_name,
                    "target": "new",
                },
                packs=self._get_packs(account),
            )
        if is_admin and api:
            add("sender", self._get_method("action_request_sender", api[0]))
            add("user", self._get_method("action_create_user", api[0]))
        return wishes

    def _get_packs(self, account):
        """Return what the smallest pack costs, and an SMS where it is cheapest.

        :return: False where OVHcloud does not tell
        :rtype: dict|bool
        """
        return bool(account.pack_price) and {
            "credits": account.pack_credits,
            "price": account.pack_price,
            "large_credits": account.large_pack_credits,
            "large_credit_price": account.large_pack_credit_price,
            "currency_id": account.currency_id.id,
        }

    def _get_sending_wishes(self):
        """Return what a user can want to send, as far as the user may do it."""
        sms_context = {"default_mailing_type": "sms", "mailing_sms": True}
        wishes = []

        def add(name, action):
            wishes.append({"name": name, "action": action})

        if self.env["mailing.mailing"].has_access("create"):
            add(
                "campaign",
                {
                    **self._get_action(
                        "mailing.mailing", self.env._("New Campaign"), views=("form",)
                    ),
                    "context": {**sms_context, "default_user_id": self.env.uid},
                },
            )
            if self.env["mailing.list"].has_access("read"):
                clean = self.env.ref("sms_ovh.mailing_list_view_kanban_clean")
                add(
                    "numbers",
                    {
                        **self._get_action(
                            "mailing.list",
                            self.env._("Clean the Numbers of a List"),
                            views=("kanban", "form"),
                        ),
                        "views": [[clean.id, "kanban"], [False, "form"]],
                        "context": {"mailing_sms": True},
                    },
                )
        if self.env["sms.composer"].has_access("create"):
            add(
                "sms",
                open_dialog(
                    self.env._("Send an SMS"),
                    "sms.composer",
                    default_composition_mode="numbers",
                    default_mass_force_send=True,
                ),
            )
        return wishes

    def _get_method(self, method, account):
        """Return a button of an account's form, as the dashboard presses it."""
        return {"method": method, "account_id": account.id}

    def _get_card(self, account):
        """Return what the dashboard shows of an account itself."""
        # sudo: which account a company sends with.
        used = account.company_id.sudo().sms_ovh_account_id == account
        # Of the model: rules on records are for who writes.
        is_admin = account.browse().has_access("write")
        return {
            "id": account.id,
            "name": account.display_name,
            "service_name": account.service_name,
            "company": account.company_id.name,
            "state": account.state,
            "state_message": account.state_message or "",
            "pause_message": account.pause_reason
            and (account.pause_message or "")
            or False,
            "used": used,
            "auth_method": account.auth_method,
            "can_write": is_admin,
            # Only who may see keys makes a new one.
            "can_connect": account.auth_method == "consumer_key"
            and self.env.user.has_group("base.group_system"),
            "price": account.credit_price,
            "currency_id": account.currency_id.id,
            "last_sync": fields.Datetime.to_string(account.last_sync),
            "credits_left": account.credits_left,
            "credits_held": account.credits_held_by_quota,
            "recharge": account.auto_recharge
            and {
                "amount": account.recharge_amount,
                "threshold": account.recharge_threshold,
            },
            "action": {
                **self._get_action("sms.ovh.account", account.display_name),
                "res_id": account.id,
                "views": [[False, "form"]],
            },
        }

    def _get_days(self, accounts, first, sender_id):
        """Return counts by outcome, and credits, of each day since `first`.

        All figures of the dashboard are sums of these: one query, whatever it shows.

        :rtype: defaultdict[date, dict]
        """
        names = (*OUTCOMES.values(), "credits")
        by_day = defaultdict(dict.fromkeys(names, 0).copy)
        if not accounts:
            return by_day
        Log = self.env["sms.ovh.log"]
        for day, *sums in self.env["sms.ovh.figure"]._read_group(
            Log._get_sent_domain(accounts, Log._get_day_start(first), sender_id),
            ["date:day"],
            [*(f"{state}:sum" for state in OUTCOMES), "credits:sum"],
        ):
            by_day[day.date()] = dict(zip(names, sums, strict=True))
        return by_day

    def _get_tiles(self, accounts, month, by_day, sender_id):
        """Return the figures of the month, each with the action that lists it."""
        total = dict.fromkeys((*OUTCOMES.values(), "credits"), 0)
        for day, figures in by_day.items():
            if day >= month:
                for name in total:
                    total[name] += figures[name]
        Log = self.env["sms.ovh.log"]
        start = Log._get_day_start(month)

        def log_action(name, *states):
            domain = Log._get_sent_domain(accounts, start, sender_id, states)
            views = ("list", "kanban", "graph", "pivot", "form")
            return self._get_action("sms.ovh.log", name, domain, views)

        taken = ("pending", "sent", "error")
        return {
            "sent": {
                "value": total["pending"] + total["delivered"] + total["failed"],
                "delivered": total["delivered"],
                "action": log_action(self.env._("Sent This Month"), *taken),
            },
            "received": self._get_received(accounts, start),
            "planned": self._get_planned(accounts, sender_id),
            "failed": {
                "value": total["failed"] + total["refused"],
                "refused": total["refused"],
                "action": log_action(
                    self.env._("Failed This Month"), "error", "refused"
                ),
            },
            "credits": {
                "value": round(total["credits"], 2),
                **self._get_cost(accounts, total["credits"]),
                "action": log_action(self.env._("SMS Charged This Month"), *taken),
            },
        }

    def _get_cost(self, accounts, charged):
        """Return what credits cost, where these accounts agree on the price of one.

        :param accounts: `sms.ovh.account`
        :param float charged: credits
        :return: ``cost`` and ``currency_id``, or nothing
        :rtype: dict
        """
        prices = {
            (account.credit_price, account.currency_id.id) for account in accounts
        }
        if len(prices) != 1:
            return {}
        ((price, currency_id),) = prices
        return {"cost": charged * price, "currency_id": currency_id} if price else {}

    def _get_received(self, accounts, start):
        """Return how many replies came. OVHcloud does not say to which sender."""
        domain = [("account_id", "in", accounts.ids), ("received_at", ">=", start)]
        return {
            "value": self.env["sms.ovh.reply"].search_count(domain),
            "action": self._get_action(
                "sms.ovh.reply", self.env._("Received This Month"), domain
            ),
        }

    def _get_planned_domain(self, accounts, sender_id=False):
        """Return the domain of the `sms.sms` that wait to be sent by these accounts."""
        # sudo: which account a company sends with.
        companies = (
            self.env["res.company"]
            .sudo()
            .search([("sms_ovh_account_id", "in", accounts.ids)])
        )
        domain = [
            ("state", "in", ("outgoing", "process")),
            ("record_company_id", "in", companies.ids),
        ]
        if not sender_id:
            return domain
        by_job = [("sms_ovh_job_id.sender_id", "=", sender_id)]
        default = companies.filtered(
            lambda company: company.sms_ovh_account_id.default_sender_id.id == sender_id
        )
        # In no job yet: it will leave from the default sender.
        new = [("sms_ovh_job_id", "=", False), ("record_company_id", "in", default.ids)]
        return [*domain, "|", *by_job, "&", *new]

    def _get_planned(self, accounts, sender_id):
        """Return how many SMS wait to be sent, and campaigns that are to start."""
        domain = self._get_planned_domain(accounts, sender_id)
        # sudo: only how many they are.
        count = self.env["sms.sms"].sudo().search_count(domain)
        mailing_domain = [
            ("mailing_type", "=", "sms"),
            ("state", "in", ("in_queue", "sending")),
            ("sms_ovh_company_id.sms_ovh_account_id", "in", accounts.ids),
        ]
        name = self.env._("Planned")
        if self.env["sms.sms"].has_access("read"):
            action = self._get_action("sms.sms", name, domain)
        else:
            # SMS themselves are the administrators' to see.
            action = self._get_action("mailing.mailing", name, mailing_domain)
            action["context"] = {"default_mailing_type": "sms", "mailing_sms": True}
        return {
            "value": count,
            "campaigns": self.env["mailing.mailing"].search_count(mailing_domain),
            "action": action,
        }

    def _get_queue(self, accounts):
        """Return how many jobs, and SMS in them, stand in the outbox in which state."""
        domain = [("account_id", "in", accounts.ids), ("state", "in", OPEN_JOB_STATES)]
        Job = self.env["sms.ovh.job"]
        found = {
            state: {"jobs": count, "sms": receivers}
            # sudo: only how many they are.
            for state, count, receivers in Job.sudo()._read_group(
                domain, ["state"], ["__count", "receiver_count:sum"]
            )
        }
        return {
            **{
                state: found.get(state, {"jobs": 0, "sms": 0})
                for state in OPEN_JOB_STATES
            },
            "action": Job.has_access("read")
            and self._get_action("sms.ovh.job", self.env._("Jobs"), domain),
        }

    def _get_stuck(self, accounts):
        """Return the sentence on what campaigns wait for that are late, or False."""
        Mailing = self.env["mailing.mailing"]
        late = Mailing.search(
            [
                ("sms_ovh_company_id", "in", accounts.company_id.ids),
                *Mailing._sms_ovh_get_late_domain(),
            ],
            limit=1,
        )
        return bool(late) and late._sms_ovh_get_stuck()
