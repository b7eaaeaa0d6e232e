"""Who may call what, from outside: each public method, field and route of the addon.

What there is, is read from the registry; what is allowed stands in the tables. A new
method, writable field or route without its row fails.
"""

import inspect
import json
from base64 import b64encode
from contextlib import contextmanager

from lxml import etree

from odoo import http, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import KEYS_2, SERVICE_2, SmsOvhCase

ADDON = __name__.split(".")[2]
OWN = f"odoo.addons.{ADDON}."
# Made by the ORM to be called from outside: their rights are those of fields and models.
ORM = {
    "copy_data",
    "create",
    "default_get",
    "init",
    "onchange",
    "unlink",
    "write",
}
# Login -> groups. Those of A belong to the company whose records are called, those of B
# to another one.
LOGINS = {
    "public": "base.group_public",
    "portal": "base.group_portal",
    "internal": "base.group_user",
    "sales": "base.group_user,base.group_partner_manager",
    "marketing": "mass_mailing.group_mass_mailing_user",
    "administrator": "sms_ovh.group_sms_ovh_admin",
    "system": "base.group_system",
    "other_sales": "base.group_user,base.group_partner_manager",
    "other_marketing": "mass_mailing.group_mass_mailing_user",
    "other_administrator": "sms_ovh.group_sms_ovh_admin",
    "other_system": "base.group_system",
    "both_marketing": "mass_mailing.group_mass_mailing_user",
}
SYSTEM = {"system"}
ADMINISTRATORS = SYSTEM | {"administrator"}
MARKETING = ADMINISTRATORS | {"marketing", "both_marketing"}
INTERNAL = LOGINS.keys() - {"public", "portal"}
# Model and method -> (who may call it, its arguments). Of a wizard, the one of a user of
# company A who may have one; of a method that goes by the user's company, see below.
METHODS = {
    # One's own company's accounts, whichever they are: nothing of A's for others.
    ("sms.ovh.dashboard", "get_figures"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    # Of all companies, and nothing but what their logs say.
    ("sms.ovh.figure", "rebuild"): (SYSTEM | {"other_system"}, []),
    ("sms.ovh.account", "action_choose_service"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_connect"): (SYSTEM, []),
    ("sms.ovh.account", "action_create_user"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_diagnose"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_open_base_url"): (SYSTEM, []),
    ("sms.ovh.account", "action_open_dashboard"): (MARKETING, []),
    # Marketing users refresh what they see.
    ("sms.ovh.account", "action_read_again"): (MARKETING, []),
    ("sms.ovh.account", "action_synchronise"): (MARKETING, []),
    ("sms.ovh.account", "action_register_callbacks"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_request_sender"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_resume"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_set_recharge"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_send_test"): (MARKETING, []),
    ("sms.ovh.account", "action_set_replies"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_test_connection"): (ADMINISTRATORS, []),
    ("sms.ovh.account", "action_use"): (SYSTEM, []),
    ("sms.ovh.account", "action_view_replies"): (MARKETING, []),
    ("sms.ovh.sender", "action_delete"): (ADMINISTRATORS, []),
    ("sms.ovh.sender", "action_disable"): (ADMINISTRATORS, []),
    ("sms.ovh.sender", "action_enable"): (ADMINISTRATORS, []),
    ("sms.ovh.sender", "action_request_again"): (ADMINISTRATORS, []),
    ("sms.ovh.sender", "action_request_sender"): (
        ADMINISTRATORS | {"other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.sender", "action_send_proof"): (ADMINISTRATORS, []),
    ("sms.ovh.sender", "action_synchronise"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.user", "action_create_user"): (
        ADMINISTRATORS | {"other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.user", "action_delete"): (ADMINISTRATORS, []),
    ("sms.ovh.user", "action_open"): (MARKETING, []),
    ("sms.ovh.user", "action_synchronise"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.job", "action_reconcile"): (ADMINISTRATORS, []),
    ("sms.ovh.reply", "action_create_contact"): (MARKETING, []),
    ("sms.ovh.reply", "action_no_stop"): (MARKETING, []),
    ("sms.ovh.reply", "action_open_record"): (MARKETING, []),
    ("sms.ovh.reply", "action_opt_out"): (MARKETING, []),
    ("sms.ovh.reply", "action_reply"): (MARKETING, []),
    ("sms.ovh.estimate", "action_cancel"): (MARKETING, []),
    ("sms.ovh.estimate.line", "action_open"): (MARKETING, []),
    # Wizards: of who opened them.
    ("sms.ovh.mailing.send", "action_add_stop"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_cancel_estimate"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_correct_numbers"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_estimate"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_gsm7"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_open_error"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_open_longest"): ({"marketing"}, []),
    ("sms.ovh.mailing.send", "action_send"): ({"marketing"}, []),
    # Mailing lists are of all companies in core: one's own company asks, and pays.
    ("mailing.list", "action_sms_ovh_check_numbers"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    ("mailing.list", "action_sms_ovh_wrong_numbers"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.checked.mixin", "action_sms_ovh_check_numbers"): (MARKETING, []),
    ("sms.ovh.number.check", "action_check_again"): (MARKETING, []),
    ("sms.ovh.number.check", "action_leave_out"): (MARKETING, []),
    ("sms.ovh.number.check", "action_send_anyway"): (MARKETING, []),
    ("sms.ovh.number.check.request", "action_confirm"): ({"marketing"}, []),
    ("sms.ovh.number.correction", "action_accept"): ({"marketing"}, []),
    # One's own, of the campaign in the context: of none here.
    ("sms.ovh.number.correction", "action_accept_all"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    ("sms.ovh.number.correction", "action_open"): ({"marketing"}, []),
    ("sms.ovh.preview", "action_test"): ({"marketing"}, []),
    ("sms.ovh.recharge", "action_apply"): ({"administrator"}, []),
    ("sms.ovh.reply.settings", "action_apply"): ({"administrator"}, []),
    ("sms.ovh.sender.request", "action_request"): ({"administrator"}, []),
    ("sms.ovh.sender.proof", "action_send"): (ADMINISTRATORS, []),
    ("sms.ovh.sender.suggestion", "action_use"): ({"administrator"}, []),
    ("sms.ovh.service.choice.line", "action_choose"): ({"administrator"}, []),
    ("sms.ovh.user.create", "action_create"): ({"administrator"}, []),
    ("sms.ovh.user.create", "action_done"): ({"administrator"}, []),
    # What core has, and the addon adds to or overrides
    ("mailing.mailing", "action_cancel"): (MARKETING, []),
    ("mailing.mailing", "action_retry_failed_sms"): (MARKETING, []),
    ("mailing.mailing", "action_schedule"): (MARKETING, []),
    ("mailing.mailing", "action_send_sms"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_add_stop"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_cancel"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_compare_versions"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_estimate"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_pause"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_preview"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_resume"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_retry"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_save_template"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_schedule"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_send"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_show_estimate"): (MARKETING, []),
    ("mailing.mailing", "action_sms_ovh_test"): (MARKETING, []),
    ("mailing.mailing", "action_view_sms_ovh_figure"): (MARKETING, ["failed"]),
    ("mailing.mailing", "action_view_sms_ovh_quiet_hours"): (MARKETING, []),
    ("mailing.mailing", "action_view_sms_ovh_replies"): (MARKETING, []),
    ("mailing.mailing", "action_view_sms_ovh_report"): (MARKETING, []),
    ("mailing.mailing", "action_view_sms_ovh_stops"): (MARKETING, []),
    ("mailing.mailing", "action_view_sms_ovh_traces"): (MARKETING, []),
    ("mailing.mailing", "get_sms_link_replacements_placeholders"): (MARKETING, []),
    ("mailing.mailing", "sms_ovh_get_progress"): (MARKETING, []),
    ("mailing.mailing", "sms_ovh_get_results"): (MARKETING, []),
    # Templates are of no company.
    ("sms.template", "action_sms_ovh_write_campaign"): (
        MARKETING | {"other_marketing", "other_administrator", "other_system"},
        [],
    ),
    # Names of fields, which Odoo's own code asks for.
    ("sms.ovh.checked.mixin", "mail_allowed_qweb_expressions"): (None, []),
    ("mailing.sms.test", "action_send_sms"): (MARKETING, []),
    ("mailing.trace", "set_clicked"): (MARKETING, []),
    # One's own failures only, whoever one is.
    ("mail.thread", "notify_cancel_by_type"): (INTERNAL, ["sms"]),
    # An SMS to a number, of a record of company A.
    ("sms.composer", "action_send_sms"): ({"sales", "system"}, []),
    # The blacklist is of all companies in core; what OVHcloud refuses, of one's own.
    ("phone.blacklist.remove", "action_unblacklist_apply"): (
        SYSTEM | {"other_system"},
        [],
    ),
    ("res.config.settings", "action_sms_ovh_configure"): (
        SYSTEM | {"other_system"},
        [],
    ),
    ("res.config.settings", "action_sms_ovh_country_hours"): (
        SYSTEM | {"other_system"},
        [],
    ),
    ("res.config.settings", "action_sms_ovh_test_connection"): (SYSTEM, []),
    ("res.config.settings", "set_values"): (SYSTEM | {"other_system"}, []),
    # System administrators see the SMS of all companies in core.
    ("sms.sms", "action_set_canceled"): (SYSTEM | {"other_system"}, []),
    ("sms.sms", "action_set_outgoing"): (SYSTEM | {"other_system"}, []),
    ("sms.sms", "resend_failed"): (SYSTEM | {"other_system"}, []),
    ("ir.http", "session_info"): (None, []),  # of the session itself, needs a request
}
# What users write: everything else is refused by the ORM. Of the addon's models and
# wizards, and of what it adds to others. Of wizards, all that is stored is the user's.
WRITABLE = {
    "mailing.mailing": {
        "sms_encoding",
        "sms_ovh_company_id",
        "sms_ovh_estimate_ids",
        "sms_ovh_gsm7",
        "sms_ovh_kind",
        "sms_ovh_sender_id",
        "sms_segments",
        "sms_units",
    },
    "mailing.sms.test": {
        "sms_ovh_resource_ref",
    },
    "phone.blacklist.remove": {
        "sms_ovh_consent",
        "sms_ovh_take_off",
    },
    "res.company": {
        "sms_ovh_account_id",
        "sms_ovh_campaign_kind",
        "sms_ovh_credit_policy",
        "sms_ovh_gsm7",
        "sms_ovh_hours_ids",
        "sms_ovh_keep_holidays",
        "sms_ovh_message_kind",
        "sms_ovh_open_friday",
        "sms_ovh_open_from",
        "sms_ovh_open_monday",
        "sms_ovh_open_saturday",
        "sms_ovh_open_sunday",
        "sms_ovh_open_thursday",
        "sms_ovh_open_to",
        "sms_ovh_open_tuesday",
        "sms_ovh_open_wednesday",
        "sms_ovh_quiet_hours",
        "sms_ovh_skip_landlines",
    },
    "res.config.settings": {
        "sms_ovh_account_id",
        "sms_ovh_campaign_kind",
        "sms_ovh_credit_policy",
        "sms_ovh_enabled",
        "sms_ovh_gsm7",
        "sms_ovh_keep_holidays",
        "sms_ovh_message_kind",
        "sms_ovh_open_friday",
        "sms_ovh_open_from",
        "sms_ovh_open_monday",
        "sms_ovh_open_saturday",
        "sms_ovh_open_sunday",
        "sms_ovh_open_thursday",
        "sms_ovh_open_to",
        "sms_ovh_open_tuesday",
        "sms_ovh_open_wednesday",
        "sms_ovh_quiet_hours",
        "sms_ovh_skip_landlines",
    },
    "sms.composer": {
        "sms_ovh_kind",
        "sms_ovh_reply_id",
        "sms_ovh_send_at",
        "sms_ovh_sender_id",
    },
    "sms.ovh.account": {
        "active",
        "application_key",
        "application_secret",
        "auth_method",
        "callback_token",
        "client_id",
        "client_secret",
        "company_id",
        "consumer_key",
        "credit_price",
        "credit_warning_threshold",
        "credit_warning_user_ids",
        "default_sender_id",
        "default_api_user_id",
        "endpoint",
        "endpoint_url",
        "http_login",
        "http_password",
        "http_sender",
        "sender_country_ids",
        "service_name",
        "start_keywords",
        "stop_keywords",
        "user_id",
        "api_user_ids",
    },
    "sms.ovh.diagnosis": {
        "account_id",
    },
    "sms.ovh.hours": {
        "company_id",
        "country_id",
        "sms_ovh_keep_holidays",
        "sms_ovh_open_friday",
        "sms_ovh_open_from",
        "sms_ovh_open_monday",
        "sms_ovh_open_saturday",
        "sms_ovh_open_sunday",
        "sms_ovh_open_thursday",
        "sms_ovh_open_to",
        "sms_ovh_open_tuesday",
        "sms_ovh_open_wednesday",
    },
    "sms.ovh.mailing.send": {
        "change_notice",
        "mailing_id",
        "mode",
        "schedule_date",
    },
    "sms.ovh.number.check.request": {
        "account_id",
        "again",
        "duplicate_count",
        "fresh_count",
        "missing_count",
        "no_mobile_count",
        "pending_count",
        "stopped_count",
        "unreadable_count",
    },
    "sms.ovh.number.correction": {
        "field_name",
        "mailing_id",
        "proposal",
        "reason",
        "record_name",
        "res_id",
        "res_model",
        "state",
        "typed",
    },
    "sms.ovh.preview": {
        "mailing_id",
        "position",
        "resource_ref",
    },
    "sms.ovh.recharge": {
        "account_id",
        "amount",
        "threshold",
    },
    "sms.ovh.reply.settings": {
        "account_id",
        "emails",
        "response_text",
        "response_type",
    },
    "sms.ovh.sender": {
        "account_id",
        "active",
    },
    "sms.ovh.sender.country": {
        "account_id",
        "country_id",
        "sender_id",
    },
    "sms.ovh.sender.proof": {
        "description",
        "proof",
        "proof_name",
        "sender_id",
    },
    "sms.ovh.sender.request": {
        "account_id",
        "description",
        "name",
        "proof",
        "proof_name",
        "reason",
        "refusal",
        "suggestion_ids",
    },
    "sms.ovh.sender.suggestion": {
        "name",
        "referer",
        "request_id",
    },
    "sms.ovh.service.choice": {
        "account_id",
        "line_ids",
    },
    "sms.ovh.service.choice.line": {
        "choice_id",
        "credits_left",
        "description",
        "name",
    },
    "sms.ovh.user": {
        "alert_active",
        "alert_email",
        "alert_number",
        "alert_support",
        "alert_threshold",
        "ip_restrictions",
        "quota_active",
        "quota_left",
    },
    "sms.ovh.user.create": {
        "account_id",
        "alert_active",
        "alert_email",
        "alert_number",
        "alert_support",
        "alert_threshold",
        "login",
        "password",
        "quota_active",
        "quota_left",
        "refusal",
        "user_id",
    },
    "sms.sms": {
        "record_company_id",
        "sms_encoding",
        "sms_segments",
        "sms_units",
    },
    "sms.template": {
        "sms_ovh_gsm7",
        "sms_ovh_kind",
        "sms_ovh_sender_id",
    },
}
# What the ORM writes itself.
MAGIC = ("id", "display_name", *models.MAGIC_COLUMNS)
# What a user may try to give of another company.
LINKS = {
    "account_id",
    "company_id",
    "mailing_id",
    "sms_ovh_company_id",
    "sms_ovh_sender_id",
}
ROUTES = {
    "/sms_ovh/<string:token>/delivery": "none",
    "/sms_ovh/<string:token>/stop": "none",
    "/sms_ovh/<string:token>/reply": "none",
    "/sms_ovh/connected/<string:state>": "user",
}


@tagged("-at_install", "post_install")
class TestMatrixOfRights(SmsOvhCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create(
            {"name": "Voisine", "country_id": cls.france.id}
        )
        cls.other_account = cls._create_account(cls.other_company, SERVICE_2, KEYS_2)
        cls.users = {}
        for login, groups in LOGINS.items():
            companies = cls.other_company if "other" in login else cls.company
            if login.startswith("both"):
                companies = cls.other_company | cls.company
            cls.users[login] = new_test_user(
                cls.env,
                f"matrix_{login}",
                groups=groups,
                password=f"matrix_{login}",
                company_id=companies[0].id,
                company_ids=companies.ids,
            )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111", "company_id": cls.company.id}
        )
        cls._add_records()

    @classmethod
    def _add_records(cls):
        env = cls.env
        account = cls.account
        mailing_list = env["mailing.list"].create({"name": "Clients"})
        env["mailing.contact"].create(
            {
                "name": "Cible",
                "mobile": "+33622222222",
                "country_id": cls.france.id,
                "list_ids": mailing_list.ids,
            }
        )
        cls.mailing = env["mailing.mailing"].create(
            {
                "subject": "Soldes",
                "mailing_type": "sms",
                "mailing_model_id": env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": mailing_list.ids,
                "body_plaintext": "Bonjour",
                "sms_ovh_company_id": cls.company.id,
                "sms_ovh_kind": "transactional",
                "campaign_id": env["utm.campaign"].create({"name": "Soldes"}).id,
            }
        )
        estimate = env["sms.ovh.estimate"]._start(cls.mailing)
        sms = env["sms.sms"].create({"number": "+33633333333", "body": "Bonjour"})
        trace = env["mailing.trace"].create(
            {
                "mass_mailing_id": cls.mailing.id,
                "trace_type": "sms",
                "model": "res.partner",
                "res_id": cls.partner.id,
                "sms_number": "+33611111111",
            }
        )
        marketing = cls.users["marketing"]
        administrator = cls.users["administrator"]
        context = {"allowed_company_ids": cls.company.ids}

        def wizard(user, model, **values):
            return env[model].with_user(user).with_context(**context).create(values)

        request = wizard(administrator, "sms.ovh.sender.request", account_id=account.id)
        choice = wizard(administrator, "sms.ovh.service.choice", account_id=account.id)
        cls.records = {
            "sms.ovh.dashboard": env["sms.ovh.dashboard"],
            "sms.ovh.figure": env["sms.ovh.figure"],
            "sms.ovh.account": account,
            "sms.ovh.sender": account.sender_ids.filtered(
                lambda sender: sender != account.default_sender_id
            )[:1],
            "sms.ovh.user": account.api_user_ids[:1],
            "sms.ovh.job": env["sms.ovh.job"].create(
                {"account_id": account.id, "body": "Bonjour"}
            ),
            "sms.ovh.reply": env["sms.ovh.reply"].create(
                {
                    "account_id": account.id,
                    "ovh_id": "1",
                    "number": "+33611111111",
                    "body": "Oui",
                }
            ),
            "mailing.list": mailing_list,
            "res.partner": cls.partner,
            # Of a model that inherits it.
            "sms.ovh.checked.mixin": cls.partner,
            "sms.ovh.number.check": env["sms.ovh.number.check"].create(
                {
                    "account_id": account.id,
                    "number": "+33611111111",
                    "state": "done",
                    "result": "dead",
                }
            ),
            "sms.ovh.number.check.request": wizard(
                marketing, "sms.ovh.number.check.request", account_id=account.id
            ),
            "sms.ovh.estimate": estimate,
            "sms.ovh.estimate.line": estimate.line_ids[:1],
            "sms.ovh.mailing.send": wizard(
                marketing,
                "sms.ovh.mailing.send",
                mailing_id=cls.mailing.id,
                mode="send",
            ),
            "sms.ovh.number.correction": wizard(
                marketing,
                "sms.ovh.number.correction",
                mailing_id=cls.mailing.id,
                res_model="res.partner",
                res_id=cls.partner.id,
                field_name="phone",
            ),
            "sms.ovh.preview": wizard(
                marketing, "sms.ovh.preview", mailing_id=cls.mailing.id
            ),
            "sms.ovh.recharge": wizard(
                administrator, "sms.ovh.recharge", account_id=account.id
            ),
            "sms.ovh.reply.settings": wizard(
                administrator, "sms.ovh.reply.settings", account_id=account.id
            ),
            "sms.ovh.sender.request": request,
            "sms.ovh.sender.proof": wizard(
                administrator,
                "sms.ovh.sender.proof",
                sender_id=account.default_sender_id.id,
                proof=b64encode(b"%PDF-1.4 extrait"),
                proof_name="extrait.pdf",
            ),
            "sms.ovh.sender.suggestion": wizard(
                administrator,
                "sms.ovh.sender.suggestion",
                request_id=request.id,
                name="Boutique",
                referer="domain",
            ),
            "sms.ovh.service.choice.line": wizard(
                administrator,
                "sms.ovh.service.choice.line",
                choice_id=choice.id,
                name=account.service_name,
            ),
            "sms.ovh.user.create": wizard(
                administrator,
                "sms.ovh.user.create",
                account_id=account.id,
                login="nouveau",
            ),
            "mailing.mailing": cls.mailing,
            "mailing.sms.test": wizard(
                marketing,
                "mailing.sms.test",
                mailing_id=cls.mailing.id,
                numbers="+33644444444",
            ),
            "mailing.trace": trace,
            # Of any model that inherits it.
            "mail.thread": env["res.partner"],
            "phone.blacklist.remove": env["phone.blacklist.remove"].create(
                {"phone": "+33611111111"}
            ),
            "sms.composer": env["sms.composer"].create(
                {
                    "composition_mode": "comment",
                    "res_model": "res.partner",
                    "res_id": cls.partner.id,
                    "body": "Bonjour",
                }
            ),
            "sms.sms": sms,
            "sms.template": env["sms.template"].create(
                {
                    "name": "Modèle",
                    "model_id": env["ir.model"]._get_id("res.partner"),
                    "body": "Bonjour",
                }
            ),
            "sms.tracker": env["sms.tracker"].create({"sms_uuid": "a" * 32}),
            "res.config.settings": env["res.config.settings"].create({}),
        }
        env.flush_all()

    # ------------------------------------------------------------
    # What there is
    # ------------------------------------------------------------

    def _find_methods(self):
        """Return the public methods that the addon defines: (model, name)."""
        found = set()
        for model in self.env.registry.values():
            for cls in model.__mro__:
                if not cls.__module__.startswith(OWN) or "_name" not in dir(cls):
                    continue
                abstract = cls._name != model._name
                if abstract and cls._name not in ("mail.thread",):
                    continue
                for name, value in vars(cls).items():
                    if (
                        not name.startswith("_")
                        and name not in ORM
                        and inspect.isfunction(getattr(value, "__func__", value))
                        and not getattr(value, "_api_private", False)
                    ):
                        found.add((cls._name, name))
        return found

    def _is_own(self, field):
        return any(name == ADDON for name in field._modules)

    def test_each_method_has_a_row(self):
        found = self._find_methods()
        self.assertGreater(len(found), 50)
        self.assertEqual(
            found ^ set(METHODS),
            set(),
            "A public method without a row in METHODS, or a row without its method."
            " What nobody calls from outside gets an underscore.",
        )

    def _get_views(self):
        """Return what each login sees, as [(login, view, model, architecture)]."""
        names = {model for model, __ in METHODS if not self.env[model]._transient}
        # Who has the mixin's methods.
        names |= self.env.registry["sms.ovh.checked.mixin"]._inherit_children
        views = self.env["ir.ui.view"].search(
            [
                ("model", "in", sorted(names)),
                ("mode", "=", "primary"),
                ("type", "in", ("form", "list", "kanban")),
            ]
        )
        seen = []
        for login in ("internal", "sales", "marketing", "administrator"):
            for view in views:
                Model = self.env[view.model].with_user(self.users[login])
                if Model.has_access("read"):
                    arch = Model.get_view(view.id, view.type)["arch"]
                    seen.append((login, view, Model, etree.fromstring(arch)))
        return seen

    def test_no_button_that_is_refused(self):
        """A view shows a button to those only who may press it."""
        refused = [
            f"{login} is shown {button.get('name')} by {view.xml_id}"
            for login, view, __, arch in self._get_views()
            for button in arch.xpath("//button[@type='object'][not(ancestor::field)]")
            if login not in METHODS.get((view.model, button.get("name")), ({login},))[0]
        ]
        self.assertFalse(refused)

    def test_views_show_what_may_be_read(self):
        """Who may open a page may read each of its fields."""
        refused = []
        for login, view, Model, arch in self._get_views():
            record = self.records.get(view.model)
            if not view.xml_id.startswith("sms_ovh.") or not record:
                continue
            fields = {
                node.get("name"): {}
                for node in arch.xpath("//field[not(ancestor::field)]")
            }
            self.env.invalidate_all()
            try:
                Model.browse(record.ids[:1]).web_read(fields)
            except AccessError as error:
                refused.append(f"{login} cannot open {view.xml_id}: {error}")
        self.assertFalse(refused)

    def test_each_route_has_a_row(self):
        found = {
            rule: endpoint.routing["auth"]
            for rule, endpoint in http._generate_routing_rules([ADDON], False)
            if endpoint.func.__module__.startswith(OWN)
        }
        self.assertEqual(found, ROUTES)

    # ------------------------------------------------------------
    # Calling
    # ------------------------------------------------------------

    @contextmanager
    def _undone(self):
        """Undo what is done inside."""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            yield
        finally:
            self.env.cr.postcommit.clear()
            self.env.cr.precommit.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _call(self, login, model, method, args, **kwargs):
        """Call a method as RPC does, with a login's rights."""
        # Another transaction has another cache.
        self.env.flush_all()
        self.env.invalidate_all()
        env = self.env(user=self.users[login], su=False, context={})
        record = self.records[model]
        model = record._name
        ids = [] if getattr(getattr(env[model], method), "_api_model", False) else None
        args = args if ids is not None else [record.ids, *args]
        return call_kw(env[model], method, args, kwargs)

    def test_cell_by_cell(self):
        """An error undoes what was written, as for RPC; what is outside, nothing undoes.

        So what is refused must not have called OVHcloud, nor left anything to be done
        after the commit.
        """
        for (model, method), (allowed, args) in METHODS.items():
            if allowed is None:
                continue
            requests = self._count_requests()
            for login in LOGINS.keys() - allowed:
                with (
                    self.subTest(model=model, method=method, login=login),
                    mute_logger("odoo.addons.base.models.ir_model"),
                    mute_logger("odoo.addons.base.models.ir_rule"),
                ):
                    self._call_refused(login, model, method, args)
            with self.subTest(model=model, method=method):
                self.assertEqual(self._count_requests(), requests)
            for login in LOGINS.keys() & allowed:
                with self.subTest(model=model, method=method, login=login):
                    with self._undone():
                        self._call_allowed(login, model, method, args)
            if self._count_requests() != requests:
                self.simulator.reset()

    def _call_refused(self, login, model, method, args):
        postcommit = self.env.cr.postcommit
        postcommit.clear()
        with self.assertRaises(UserError) as raised:
            self._call(login, model, method, args)
            self.env.flush_all()
        self.assertNotIn(self.account.service_name, str(raised.exception))
        self.assertFalse(postcommit._funcs)

    def _count_requests(self):
        return sum(self.simulator.get_state()["requests"].values())

    def _call_allowed(self, login, model, method, args):
        """Call what is allowed: the state of a record may forbid it, never its rights."""
        try:
            self._call(login, model, method, args)
        except AccessError as error:
            self.fail(f"refused: {error}")
        except (UserError, ValueError):
            return

    # ------------------------------------------------------------
    # Fields
    # ------------------------------------------------------------

    def _find_writable(self):
        """Return the fields of the addon that some user may give a value: by model.

        Of the addon's own models and wizards, and of what it adds to others.
        """
        found = {}
        system = self.env(user=self.users["system"], su=False, context={})
        for name, model in self.env.registry.items():
            if model._abstract or not (
                system[name].has_access("write") or system[name].has_access("create")
            ):
                continue
            names = {
                field.name
                for field in model._fields.values()
                if self._is_own(field)
                and (name.startswith("sms.ovh.") or set(field._modules) == {ADDON})
                and field.name not in MAGIC
                and (field.store or field.inverse or field.related)
                and not (field.readonly and (field.related or not field.store))
                and system[name]._has_field_access(field, "write")
            }
            if names:
                found[name] = names
        return found

    def test_each_writable_field_has_a_row(self):
        found = self._find_writable()
        self.assertGreater(len(found), 20)
        self.maxDiff = None
        self.assertEqual(
            {name: sorted(names) for name, names in found.items()},
            {name: sorted(names) for name, names in WRITABLE.items() if names},
            "A field that users can write without a row in WRITABLE, or the other way"
            " round. What only the gateway writes is read-only.",
        )

    def _get_value(self, field):
        """Return a value of the type of a field, which is none that it has."""
        if field.type == "selection":
            return field.get_values(self.env)[-1]
        return {
            "boolean": True,
            "integer": 77,
            "float": 77.0,
            "monetary": 77.0,
            "datetime": "2026-01-01 00:00:00",
            "date": "2026-01-01",
            "json": {"a": 1},
            "many2one": 1,
            "many2one_reference": 1,
            "one2many": [(5,)],
            "many2many": [(5,)],
        }.get(field.type, "x")

    def _get_record(self, model):
        """Return a record of a model: what is tried on it is what each has."""
        record = self.records.get(model) or self.env[model].search([], limit=1)
        if not record:
            values = {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "country_id": self.france.id,
                "estimate_id": self.records["sms.ovh.estimate"].id,
                "mailing_id": self.mailing.id,
                "sender_id": self.account.default_sender_id.id,
                "country_code": "FR",
            }
            record = record.create(
                {
                    field.name: values.get(field.name, self._get_value(field))
                    for field in record._fields.values()
                    if field.required
                    and field.store
                    and not (field.related or field.default)
                }
            )
        return record

    def _find_models(self):
        """Return the models with fields of the addon that are not wizards."""
        return {
            name
            for name, model in self.env.registry.items()
            if not model._abstract
            and not model._transient
            and model._auto
            and any(
                field.store
                and self._is_own(field)
                and (name.startswith("sms.ovh.") or field.name.startswith("sms_ovh_"))
                for field in model._fields.values()
            )
        }

    def test_fields(self):
        models_found = self._find_models()
        self.assertGreater(len(models_found), 15)
        for model in sorted(models_found):
            writable = WRITABLE.get(model, ())
            record = self._get_record(model)
            for name, field in record._fields.items():
                own = model.startswith("sms.ovh.") and self._is_own(field)
                if not own and not name.startswith("sms_ovh_"):
                    continue
                if name in MAGIC:
                    continue
                with self.subTest(model=model, field=name):
                    for login in ("administrator", "system"):
                        env = self.env(user=self.users[login], context={})
                        theirs = record.with_env(env)
                        if name in writable:
                            if login == "system":
                                self.assertTrue(
                                    theirs._has_field_access(field, "write")
                                )
                            continue
                        before = record.read([name])
                        with (
                            self._undone(),
                            mute_logger("odoo.orm.models", "odoo.models"),
                        ):
                            try:
                                theirs.write({name: self._get_value(field)})
                                self.env.flush_all()
                            except UserError:
                                continue
                            self.env.invalidate_all()
                            self.assertEqual(record.read([name]), before)

    def test_account_of_another_company(self):
        """By no wizard, in no way that a form, an import or RPC has."""
        login = "other_administrator"
        env = self.env(user=self.users[login], context={})
        mine = self.account
        service = mine.service_name
        credits_left = f"{mine.credits_left:g}"
        links = {
            "sms.ovh.recharge": {"account_id": mine.id},
            "sms.ovh.reply.settings": {"account_id": mine.id},
            "sms.ovh.diagnosis": {"account_id": mine.id},
            "sms.ovh.number.check.request": {"account_id": mine.id},
            "sms.ovh.sender.request": {"account_id": mine.id},
            "sms.ovh.user.create": {"account_id": mine.id},
            "sms.ovh.service.choice": {"account_id": mine.id},
            "sms.ovh.sender": {"account_id": mine.id},
            "sms.ovh.hours": {
                "company_id": self.company.id,
                "country_id": self.france.id,
            },
            "sms.ovh.account": {"company_id": self.company.id},
            "sms.ovh.preview": {"mailing_id": self.mailing.id},
            "sms.ovh.number.correction": {
                "mailing_id": self.mailing.id,
                "res_model": "res.partner",
                "res_id": self.partner.id,
                "field_name": "phone",
            },
            "sms.ovh.mailing.send": {"mailing_id": self.mailing.id, "mode": "estimate"},
            "mailing.sms.test": {"mailing_id": self.mailing.id},
            "sms.composer": {
                "mailing_id": self.mailing.id,
                "body": "x",
                "composition_mode": "numbers",
            },
            "mailing.mailing": {
                "sms_ovh_company_id": self.company.id,
                "mailing_type": "sms",
                "subject": "x",
            },
            "sms.template": {
                "sms_ovh_sender_id": mine.default_sender_id.id,
                "name": "x",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "x",
            },
        }
        guarded = {
            name
            for name, model in self.env.registry.items()
            if getattr(model, "_sms_ovh_guarded_links", None)
        }
        covered = {
            *links,
            "sms.ovh.sender.proof",
            "sms.ovh.sender.suggestion",
            "sms.ovh.service.choice.line",
            # See `test_technical_values_of_sms`; no administrator has access.
            "sms.sms",
        }
        self.assertEqual(guarded - covered, set())
        with self.assertRaises(AccessError):
            env["sms.ovh.sender.proof"].create(
                {
                    "sender_id": mine.default_sender_id.id,
                    "proof": b64encode(b"%PDF-1.4 extrait"),
                }
            )
        for model, values in links.items():
            spec = {
                name: {"fields": {"display_name": {}}}
                if field.type == "many2one"
                else {}
                for name, field in env[model]._fields.items()
                if not field.groups and field.type not in ("one2many", "many2many")
            }
            defaults = {f"default_{name}": value for name, value in values.items()}
            Model = env[model]
            with_defaults = Model.with_context(**defaults)
            for name, call in (
                ("create", lambda Model=Model, v=values: Model.create(v).read()),
                (
                    "defaults",
                    lambda Model=with_defaults, v=values: Model.create(
                        {key: v[key] for key in v if key not in LINKS}
                    ).read(),
                ),
                (
                    "web_save",
                    lambda Model=Model, v=values, s=spec: Model.web_save(dict(v), s),
                ),
                (
                    "default_get",
                    lambda Model=with_defaults, v=values: Model.default_get(list(v)),
                ),
                (
                    "onchange",
                    lambda Model=Model, v=values, s=spec: Model.onchange(
                        dict(v), list(v), s
                    ),
                ),
                (
                    "first onchange",
                    lambda Model=with_defaults, s=spec: Model.onchange({}, [], s),
                ),
                (
                    "import",
                    lambda Model=Model, v=values: Model.load(
                        [f"{key}/.id" if key in LINKS else key for key in v],
                        [[str(value) for value in v.values()]],
                    ),
                ),
            ):
                with self.subTest(model=model, way=name), self._undone():
                    try:
                        shown = str(call())
                    except UserError as error:
                        shown = str(error)
                    else:
                        if name == "default_get":
                            continue  # the id that was given, and nothing else
                        if name == "import":
                            self.assertIn("'ids': False", shown)
                        else:
                            self.fail("not refused")
                    self.assertNotIn(service, shown)
                    self.assertNotIn(credits_left, shown)

    # ------------------------------------------------------------
    # Over HTTP, with real logins
    # ------------------------------------------------------------

    def _rpc(self, login, model, method, args, **kwargs):
        self.authenticate(f"matrix_{login}", f"matrix_{login}")
        response = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps(
                {
                    "jsonrpc": "2.0",
                    "method": "call",
                    "params": {
                        "model": model,
                        "method": method,
                        "args": args,
                        "kwargs": kwargs,
                    },
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        return response.json()

    def test_real_logins(self):
        account = self.account
        account.write({"pause_reason": "credit", "pause_message": "Plus de crédit"})
        self.env.flush_all()
        self.env.cr.precommit.run()
        account.invalidate_recordset()
        requests = self._count_requests()
        messages = account.message_ids
        for login in ("portal", "internal", "sales", "other_marketing", "other_system"):
            for model, method, args in (
                ("sms.ovh.account", "action_synchronise", [account.ids]),
                ("sms.ovh.account", "action_read_again", [account.ids]),
                ("sms.ovh.account", "action_resume", [account.ids]),
                ("sms.ovh.account", "action_test_connection", [account.ids]),
                ("sms.ovh.account", "_synchronise", [account.ids]),
                ("sms.ovh.account", "read", [account.ids, ["service_name"]]),
                ("mailing.mailing", "action_send_mail", [self.mailing.ids]),
                (
                    "mailing.mailing",
                    "write",
                    [self.mailing.ids, {"body_plaintext": "x"}],
                ),
                (
                    "sms.ovh.recharge",
                    "create",
                    [{"account_id": account.id}],
                ),
            ):
                with (
                    self.subTest(login=login, model=model, method=method),
                    mute_logger("odoo.http"),
                ):
                    answer = self._rpc(login, model, method, args)
                    self.assertIn("error", answer)
                    self.assertNotIn(account.service_name, str(answer))
        account.invalidate_recordset()
        self.assertEqual(account.pause_reason, "credit")
        self.assertEqual(account.message_ids, messages)
        self.assertEqual(self._count_requests(), requests)
        answer = self._rpc(
            "administrator", "sms.ovh.account", "action_resume", [account.ids]
        )
        self.assertNotIn("error", answer)

    def test_routes(self):
        for kind in ("delivery", "stop", "reply"):
            events = self.env["sms.ovh.event"].search_count([])
            with mute_logger("odoo.addons.sms_ovh.controllers.main"):
                self.assertEqual(
                    self.url_open(f"/sms_ovh/{'x' * 43}/{kind}?id=1").status_code, 404
                )
            self.assertEqual(self.env["sms.ovh.event"].search_count([]), events)
        self.authenticate(None, None)
        response = self.url_open(
            f"/sms_ovh/connected/{'x' * 43}", allow_redirects=False
        )
        self.assertIn(response.status_code, (302, 303))
        for login in ("portal", "marketing", "administrator", "system"):
            self.authenticate(f"matrix_{login}", f"matrix_{login}")
            with mute_logger("odoo.addons.sms_ovh.controllers.main"):
                response = self.url_open(f"/sms_ovh/connected/{'x' * 43}")
            self.assertEqual(response.status_code, 403)
