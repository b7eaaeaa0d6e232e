import json

from odoo.tests import HttpCase, tagged

from .common import SmsOvhCase

LISTS = (
    "sms_ovh.sms_ovh_dashboard_action",
    "sms_ovh.sms_ovh_account_action",
    "sms_ovh.sms_ovh_sender_action",
    "sms_ovh.sms_ovh_user_action",
    "sms_ovh.sms_ovh_reply_action",
    "sms_ovh.sms_ovh_job_action",
    "sms_ovh.sms_ovh_event_action",
    "sms_ovh.sms_ovh_report_action",
    "sms_ovh.sms_template_action_marketing",
    "mass_mailing_sms.mailing_mailing_action_sms",
)


@tagged("-at_install", "post_install")
class TestPhonePages(SmsOvhCase, HttpCase):
    """On a phone nothing scrolls sideways, and a thumb meets each button."""

    browser_size = "390x844"
    touch_enabled = True

    def _get_pages(self, user):
        """Return the pages: dicts with ``name`` and ``action``.

        :param user: who looks at them
        """
        draft = self._create_mailing(
            ["+33612340001", "+33142685300"],
            body="C’est {{ object.first_name ||| }} https://example.com/soldes",
        )
        draft.user_id = user
        partner = self.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33612340077"}
        )
        reply = self.env["sms.ovh.reply"].create(
            {"account_id": self.account.id, "number": "+33612340077", "ovh_id": "1"}
        )
        template = self.env["sms.template"].create(
            {
                "name": "Rappel",
                "model_id": self.env["ir.model"]._get_id("mailing.contact"),
                "body": "Bonjour",
            }
        )
        pages = [{"name": xmlid, "action": xmlid} for xmlid in LISTS]
        records = {
            "mailing.mailing": draft,
            "sms.ovh.account": self.account,
            "sms.ovh.sender": self.account.default_sender_id,
            "sms.ovh.user": self.account.user_ids[:1],
            "sms.ovh.reply": reply,
            "sms.template": template,
        }
        form_views = {
            "mailing.mailing": self.env.ref(
                "mass_mailing_sms.mailing_mailing_view_form_sms"
            ).id
        }
        for model, record in records.items():
            self.assertTrue(record, model)
            pages.append(
                {
                    "name": model,
                    "action": {
                        "type": "ir.actions.act_window",
                        "res_model": model,
                        "res_id": record.id,
                        "views": [[form_views.get(model, False), "form"]],
                        "target": "current",
                    },
                }
            )
        methods = (
            (draft, "action_sms_ovh_send"),
            (draft, "action_sms_ovh_schedule"),
            (draft, "action_sms_ovh_estimate"),
            (draft, "action_sms_ovh_preview"),
            (draft, "action_sms_ovh_test"),
            (self.account, "action_request_sender"),
            (self.account, "action_create_user"),
            (self.account, "action_set_recharge"),
            (self.account, "action_set_replies"),
            (self.account, "action_diagnose"),
        )
        for record, method in methods:
            action = getattr(record.with_user(user), method)()
            action.setdefault("views", [(False, "form")])
            pages.append({"name": method, "action": action})
        for mode in ("comment", "mass"):
            context = {
                "default_composition_mode": mode,
                "default_res_model": "res.partner",
                "default_res_id": partner.id,
                "default_res_ids": repr(partner.ids),
            }
            pages.append(
                {
                    "name": f"composer, {mode}",
                    "action": {
                        "type": "ir.actions.act_window",
                        "res_model": "sms.composer",
                        "views": [[False, "form"]],
                        "target": "new",
                        "context": context,
                    },
                }
            )
        return pages

    def test_pages(self):
        admin = self.env.ref("base.user_admin")
        admin.write(
            {
                "company_ids": [(4, self.company.id)],
                "company_id": self.company.id,
                "phone": "+33612340099",
            }
        )
        pages = self._get_pages(admin)
        self.env.flush_all()
        self.browser_js(
            "/odoo/discuss",
            f"odoo.smsOvhMeasure({json.dumps(pages, default=str)}).then("
            "(found) => found.length ? console.error(found.join('\\n'))"
            " : console.log('test successful'),"
            " (error) => console.error(error.stack || error));",
            "Boolean(odoo.isReady && odoo.smsOvhMeasure && odoo.__WOWL_DEBUG__)",
            login="admin",
            timeout=300,
        )
