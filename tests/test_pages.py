import json
import os
import re
from datetime import timedelta
from pathlib import Path
from unittest import SkipTest

import requests

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import SmsOvhCase
from .test_view_terms import CORE, EnglishFinder

# Numbers by what the simulated OVHcloud makes of their SMS.
DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
REFUSED = "+33612340102"
LANDLINE = "+33142685300"
# Of a view that is Odoo's, where something of the addon is added to it.
WITHIN = {"res.config.settings": "#sms_ovh"}
FOUND = "What was found on the pages"
# What only a mistake shows: a record's name in Python, and JavaScript's nothing.
LEAKED = re.compile(r"[a-z_]+(\.[a-z_]+)+\([\d, ]*\)|undefined|NaN|\[object ")


class PagesCase(SmsOvhCase, HttpCase):
    """Opens each page of the addon, as one sees it who may do everything.

    The views are found in the database; what is new is walked as well, and a form of
    which :meth:`_get_records` has no record fails.
    """

    is_phone = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms([*CORE, "sms_ovh"], ["fr_FR"])
        # Written before, by Odoo, and in English.
        cls.env["mailing.contact"].search([]).unlink()
        # What is written while nobody looks is in French, too.
        cls.env = cls.env(context={**cls.env.context, "lang": "fr_FR"})
        cls.account = cls.account.with_env(cls.env)
        cls.company = cls.company.with_env(cls.env)
        cls.company.partner_id.lang = "fr_FR"
        cls.env.ref("base.user_root").lang = "fr_FR"
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.write(
            {
                "name": "Agnès",
                "company_ids": [(4, cls.company.id)],
                "company_id": cls.company.id,
                "lang": "fr_FR",
                "phone": "+33612340099",
            }
        )
        path = os.environ.get("SMS_OVH_AXE")
        if not path:
            raise SkipTest("axe-core is not here")
        axe = cls.env["ir.attachment"].create(
            {
                "name": "axe.js",
                "raw": Path(path).read_bytes(),
                "mimetype": "application/javascript",
                "public": True,
            }
        )
        cls.axe = f"/web/content/{axe.id}/axe.js"

    # ------------------------------------------------------------
    # What is shown
    # ------------------------------------------------------------

    def _send_campaign(self):
        """Send a campaign that some get, some do not, and some answer."""
        mailing = self._create_mailing([DELIVERED, UNDELIVERABLE, REFUSED, LANDLINE])
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        with self.allow_requests(all_requests=True):
            for callback in self.simulator.pop_callbacks(count=2):
                requests.get(callback["url"], timeout=30)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env["sms.ovh.stop"].create(
            {
                "account_id": self.account.id,
                "number": DELIVERED,
                "mailing_id": mailing.id,
            }
        )
        return mailing

    def _get_records(self):
        """Return a record of each model that has a form, as {model: record}."""
        account = self.account
        draft = self._create_mailing(
            [DELIVERED, LANDLINE],
            body="C’est {{ object.first_name ||| }} https://example.com/soldes",
            user_id=self.admin.id,
            sms_ovh_company_id=self.company.id,
        )
        planned = self._create_mailing([DELIVERED])
        planned.write(
            {
                "schedule_type": "scheduled",
                "schedule_date": fields.Datetime.now() + timedelta(days=1),
            }
        )
        planned.action_put_in_queue()
        partner = self.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33612340077"}
        )
        reply = self.env["sms.ovh.reply"].create(
            {
                "account_id": account.id,
                "number": partner.phone,
                "body": "Oui",
                "ovh_id": "1",
            }
        )
        template = self.env["sms.template"].create(
            {
                "name": "Rappel",
                "model_id": self.env["ir.model"]._get_id("mailing.contact"),
                "body": "Bonjour",
            }
        )
        check = self.env["sms.ovh.number.check"].create(
            {
                "account_id": account.id,
                "number": partner.phone,
                "state": "done",
                "result": "dead",
            }
        )
        hours = self.env["sms.ovh.hours"].create(
            {"company_id": self.company.id, "country_id": self.env.ref("base.be").id}
        )
        blacklisted = self.env["phone.blacklist"].create({"number": "+33612340078"})
        return {
            "mailing.contact": draft.contact_list_ids.contact_ids[:1],
            "mailing.list": draft.contact_list_ids,
            "mailing.mailing": draft,
            "mailing.trace": self.sent.mailing_trace_ids[:1],
            "phone.blacklist": blacklisted,
            "res.partner": partner,
            "sms.ovh.account": account,
            "sms.ovh.event": self.env["sms.ovh.event"].search([], limit=1),
            "sms.ovh.hours": hours,
            "sms.ovh.job": self.env["sms.ovh.job"].search([], limit=1),
            "sms.ovh.log": self.env["sms.ovh.log"].search([], limit=1),
            "sms.ovh.number.check": check,
            "sms.ovh.reply": reply,
            "sms.ovh.sender": account.default_sender_id,
            "sms.ovh.user": account.api_user_ids[:1],
            "sms.sms": self._create_sms([DELIVERED]),
            "sms.template": template,
        }

    def _get_dialogues(self, records):
        """Return what opens each dialogue, as {name: action}."""
        as_admin = {
            model: record.with_user(self.admin) for model, record in records.items()
        }
        draft = as_admin["mailing.mailing"]
        account = as_admin["sms.ovh.account"]
        refused = self._sender(name="Nouveau").with_env(account.env)
        send = draft.action_sms_ovh_send()
        sending = draft.env[send["res_model"]].browse(send["res_id"])
        dialogues = {
            "send": send,
            "schedule": draft.action_sms_ovh_schedule(),
            "estimate": draft.action_sms_ovh_estimate(),
            "correct": sending.action_correct_numbers(),
            "preview": draft.action_sms_ovh_preview(),
            "test": draft.action_sms_ovh_test(),
            "sender": account.action_request_sender(),
            "sender again": refused.action_request_again(),
            "proof": refused.action_send_proof(),
            "user": account.action_create_user(),
            "recharge": account.action_set_recharge(),
            "replies": account.action_set_replies(),
            "diagnosis": account.action_diagnose(),
            "service": account.action_choose_service(),
            "reply": as_admin["sms.ovh.reply"].action_reply(),
            "check": as_admin["mailing.list"].action_sms_ovh_check_numbers(),
            "blacklist": as_admin["phone.blacklist"].phone_action_blacklist_remove(),
        }
        partner = records["res.partner"]
        for mode in ("comment", "mass"):
            dialogues[f"composer, {mode}"] = self._open(
                "sms.composer",
                target="new",
                context={
                    "default_composition_mode": mode,
                    "default_res_model": partner._name,
                    "default_res_id": partner.id,
                    "default_res_ids": repr(partner.ids),
                },
            )
        for action in dialogues.values():
            action.setdefault("views", [(False, "form")])
        return dialogues

    @staticmethod
    def _open(model, kind="form", view_id=False, **values):
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "views": [[view_id, kind]],
            "target": "current",
            "context": {},
            **values,
        }

    def _get_pages(self):
        """Return all pages: dicts with ``name``, ``action`` and ``within``."""
        self.simulator.set_sender(
            self.account.service_name, "Nouveau", status="refused", comment="Non."
        )
        self.account.action_synchronise()
        self.sent = self._send_campaign()
        records = self._get_records()
        actions = self._get_dialogues(records)
        # Each view is looked at once, wherever it is opened from.
        seen = {(action["res_model"], "form") for action in actions.values()}
        own = self.env["ir.model.data"].search([("module", "=", "sms_ovh")])
        for data in own:
            if data.model == "ir.actions.client":
                actions[data.complete_name] = data.complete_name
            elif data.model == "ir.actions.act_window":
                actions[data.complete_name] = data.complete_name
                action = self.env.ref(data.complete_name)
                kinds = action.view_mode.split(",")
                # As Odoo chooses between them.
                is_card = self.is_phone and "kanban" in kinds
                seen.add((action.res_model, "kanban" if is_card else kinds[0]))
        roots = self.env["ir.ui.view"]
        for view in roots.browse(
            own.filtered(lambda data: data.model == "ir.ui.view").mapped("res_id")
        ):
            while view.inherit_id and view.mode != "primary":
                view = view.inherit_id
            roots |= view
        for view in roots.filtered(lambda view: view.model and view.type != "search"):
            if (view.model, view.type) in seen:
                continue
            values = {"view_id": view.id}
            if view.type == "form" and view.model != "res.config.settings":
                self.assertTrue(records.get(view.model), f"no record of {view.model}")
                values["res_id"] = records[view.model].id
            actions[f"{view.model}, {view.type} {view.id}"] = self._open(
                view.model, view.type, **values
            )
        # What looks otherwise in other states.
        form = self.env.ref("mass_mailing_sms.mailing_mailing_view_form_sms").id
        for name, model, res_id, context in (
            (
                "campaign, new",
                "mailing.mailing",
                False,
                {"default_mailing_type": "sms"},
            ),
            ("campaign, sent", "mailing.mailing", self.sent.id, {}),
            ("account, new", "sms.ovh.account", False, {"sms_ovh_form": True}),
        ):
            actions[name] = self._open(
                model,
                view_id=form if model == "mailing.mailing" else False,
                res_id=res_id,
                context=context,
            )
        return [
            {
                "name": name,
                "action": action,
                "within": isinstance(action, dict) and WITHIN.get(action["res_model"]),
            }
            for name, action in actions.items()
        ]

    # ------------------------------------------------------------
    # What is found
    # ------------------------------------------------------------

    def _look_at_pages(self):
        pages = self._get_pages()
        options = {"axe": self.axe, "isPhone": self.is_phone}
        self.env.flush_all()
        arguments = ", ".join(
            json.dumps(value, default=str) for value in (pages, options, FOUND)
        )
        self.browser_js(
            "/odoo/discuss",
            f"odoo.smsOvhLook({arguments}).then(() => console.log('test successful'),"
            " (error) => console.error(error.stack || error));",
            "Boolean(odoo.isReady && odoo.smsOvhLook && odoo.__WOWL_DEBUG__)",
            login="admin",
            timeout=600,
        )
        self.env.invalidate_all()
        found = json.loads(
            self.env["ir.attachment"].search([("name", "=", FOUND)], limit=1).raw
        )
        self.assertEqual(len(found), len(pages))
        finder = EnglishFinder("fr", modules=())
        for page in found:
            wrong = [
                word
                for word in page["words"]
                if finder.find(word) or LEAKED.search(word)
            ]
            for problem in (*page["problems"], *wrong):
                with self.subTest(page=page["name"]):
                    self.fail(problem)


@tagged("-at_install", "post_install")
class TestPages(PagesCase):
    """Who uses a keyboard, a screen reader or a magnifier is kept out of no page."""

    browser_size = "1400x900"

    def test_pages(self):
        self._look_at_pages()


@tagged("-at_install", "post_install")
class TestPhonePages(PagesCase):
    """On a phone nothing scrolls sideways, and a thumb meets each button."""

    browser_size = "390x844"
    touch_enabled = True
    is_phone = True

    def test_pages(self):
        self._look_at_pages()
