from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import const
from ..tools.client_actions import notify, open_dialog
from ..tools.credits import format_credits
from ..tools.phone_number import get_kind


class SmsOvhNumberCheckRequest(models.TransientModel):
    """Asks operators whether numbers are in service; shows how many, and the cost.

    Marketing users may ask, since they may send campaigns, which cost more.
    """

    _name = "sms.ovh.number.check.request"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Question for Phone Numbers"

    _sms_ovh_guarded_links = {"account_id": "read"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    # The numbers checked are those shown, whatever becomes of the contacts meanwhile.
    numbers = fields.Json(
        string="Numbers Asked For", readonly=True, groups=fields.NO_ACCESS
    )
    fresh_numbers = fields.Json(
        string="Numbers Asked For Lately", readonly=True, groups=fields.NO_ACCESS
    )
    again = fields.Boolean(
        string="Check these again",
        help="OVHcloud charges for each of them once more.",
    )
    count = fields.Integer(string="Numbers to Check", compute="_compute_count")
    fresh_count = fields.Integer(string="Checked Lately", readonly=True)
    pending_count = fields.Integer(string="Being Checked", readonly=True)
    unreadable_count = fields.Integer(string="Unreadable Numbers", readonly=True)
    no_mobile_count = fields.Integer(
        string="Landlines and Others That Take No SMS", readonly=True
    )
    stopped_count = fields.Integer(
        string="Opted Out",
        readonly=True,
        help="They get no campaign: there is nothing to check.",
    )
    duplicate_count = fields.Integer(string="Same Number Twice", readonly=True)
    missing_count = fields.Integer(string="Without a Number", readonly=True)
    fresh_note = fields.Char(compute="_compute_fresh_note")
    cost = fields.Char(compute="_compute_cost")
    cost_known = fields.Boolean(compute="_compute_cost")
    check_error = fields.Char(related="account_id.check_error")
    too_few_credits = fields.Boolean(compute="_compute_cost")

    @api.depends("again")
    def _compute_count(self):
        # sudo: only counts the numbers.
        for request_sudo in self.sudo():
            request_sudo.count = len(request_sudo._get_numbers())

    def _get_numbers(self):
        """Return the numbers that are checked on confirmation."""
        self.ensure_one()
        fresh = self.fresh_numbers if self.again else None
        return [*(self.numbers or ()), *(fresh or ())]

    @api.depends("fresh_count")
    def _compute_fresh_note(self):
        for request in self:
            request.fresh_note = self.env._(
                "A check holds for %s days: numbers that were checked since are not paid"
                " for twice.",
                self.env["sms.ovh.number.check"]._get_lifetime().days,
            )

    @api.depends("again")
    def _compute_cost(self):
        """Estimate the cost by the last check's: OVHcloud only tells it afterwards."""
        for request in self:
            account = request.account_id
            left = format_credits(self.env, account.credits_left)
            request.cost_known = bool(account.check_credits)
            credits_needed = request.count * account.check_credits
            request.too_few_credits = (
                not account.auto_recharge and credits_needed > account.credits_left
            ) or account.credits_left <= 0
            if request.cost_known:
                request.cost = self.env._(
                    "Credits, about: %(credits)s. In the last check, OVHcloud charged"
                    " %(rate)s for a number. %(account)s pays; credits left: %(left)s.",
                    credits=format_credits(self.env, credits_needed),
                    rate=format_credits(self.env, account.check_credits),
                    account=account.display_name,
                    left=left,
                )
            else:
                request.cost = self.env._(
                    "OVHcloud charges credits for each number, and says how many only"
                    " afterwards: check a few contacts first, then Odoo knows the"
                    " price. %(account)s pays; credits left: %(left)s.",
                    account=account.display_name,
                    left=left,
                )

    # ------------------------------------------------------------
    # Opening
    # ------------------------------------------------------------

    @api.model
    def _get_account(self):
        """Return the current company's account, if it can check numbers.

        :raise UserError: if there is none, saying what to do
        """
        # Checked before anything is read with more rights.
        self.check_access("create")
        company = self.env.company
        # sudo: the account with which the company sends.
        account = company.sudo().sms_ovh_account_id.sudo(False)
        if not account or not company._sms_ovh_is_own():
            raise UserError(
                self.env._(
                    "%s does not send with OVHcloud: choose an account in the settings"
                    " first.",
                    company.name,
                )
            )
        account.check_access("read")
        if account.auth_method == "http2sms":
            raise UserError(
                self.env._(
                    "An API user's login is good for sending only. To check numbers,"
                    " connect the account with OVHcloud in another way."
                )
            )
        return account

    @api.model
    def _open_for_lists(self, lists):
        """Open the dialog for all contacts of mailing lists who did not opt out."""
        self._get_account()
        Contact = self.env["mailing.contact"]
        domain = [("list_id", "in", lists.ids)]
        contacts = Contact.search(
            [("subscription_ids", "any", [*domain, ("opt_out", "=", False)])]
        )
        everybody = Contact.search_count([("subscription_ids", "any", domain)])
        return self._open_for_records(contacts, everybody - len(contacts))

    @api.model
    def _open_for_records(self, records, stopped=0):
        """Open the dialog for the numbers of persons.

        :param records: `mailing.contact` or `res.partner`
        :param int stopped: how many further persons opted out
        """
        account = self._get_account()
        records.fetch(["phone_sanitized"])
        names = [name for name in records._phone_get_number_fields() if name in records]
        numbers, unreadable, missing = [], 0, 0
        for record in records:
            number = record.phone_sanitized
            if not number:
                typed = next((record[name] for name in names if record[name]), None)
                if not typed:
                    missing += 1
                    continue
                country = record._phone_get_country().get(record.id)
                number = account.company_id._sms_ovh_clean_number(
                    typed, country.code if country else None
                ).number
            if number:
                numbers.append(number)
            else:
                unreadable += 1
        return self._open(
            account,
            numbers,
            stopped_count=stopped,
            unreadable_count=unreadable,
            missing_count=missing,
        )

    @api.model
    def _open_for_numbers(self, numbers, again=False):
        """Open the dialog for numbers.

        :param list numbers: in E.164
        :param bool again: whether to check those that were checked lately, too
        """
        return self._open(self._get_account(), numbers, again=again)

    @api.model
    def _open(self, account, numbers, **values):
        unique = list(dict.fromkeys(numbers))
        mobiles = [
            number
            for number in unique
            if get_kind(number) not in const.KIND_TO_FAILURE_TYPE
        ]
        stopped = self.env["sms.ovh.stop"]._find_blacklisted(mobiles)
        left = [number for number in mobiles if number not in stopped]
        Check = self.env["sms.ovh.number.check"]
        fresh, pending = Check._split_known(account.company_id, left)
        values["stopped_count"] = values.get("stopped_count", 0) + len(stopped)
        request = self.create(
            {"account_id": account.id, "again": values.pop("again", False)}
        )
        # sudo: computed here; users may not write these fields.
        request.sudo().write(
            {
                **values,
                "numbers": [n for n in left if n not in fresh and n not in pending],
                "fresh_numbers": [number for number in left if number in fresh],
                "fresh_count": len(fresh),
                "pending_count": len(pending),
                "no_mobile_count": len(unique) - len(mobiles),
                "duplicate_count": len(numbers) - len(unique),
            }
        )
        return open_dialog(self.env._("Check Numbers"), self._name, request.id)

    # ------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------

    def action_confirm(self):
        """Queue the numbers for the scheduled action that checks them.

        :raise UserError: if there is no number, or the user may not ask
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        account.check_access("read")
        if not account.company_id._sms_ovh_is_own():
            raise AccessError(
                self.env._("You cannot check numbers for a company that is not yours.")
            )
        # sudo: the numbers that the dialog has shown as to be checked.
        numbers = self.sudo()._get_numbers()
        if not numbers:
            raise UserError(
                self.env._("There is no number to check: close this question.")
            )
        # sudo: only the gateway writes checks, here in the user's name.
        count = self.env["sms.ovh.number.check"].sudo()._enqueue(account, numbers)
        return notify(
            self.env._(
                "Numbers being checked: %s. What operators say is shown on the"
                " contacts, within some minutes.",
                count,
            ),
            then="close",
        )
