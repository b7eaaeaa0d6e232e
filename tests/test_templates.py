import re
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .common import KEYS_2, SERVICE_2, SmsOvhCase

FOLDER = Path(__file__).resolve().parent.parent


@tagged("-at_install", "post_install")
class TestTemplates(SmsOvhCase):
    """A campaign starts from a template, and its text is kept as one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer = new_test_user(
            cls.env,
            "redactrice",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=cls.company.id,
        )
        cls.short_number = cls.account.sender_ids.filtered(
            lambda sender: sender.type == "shortcode"
        )

    def _keep(self, mailing):
        """Keep a campaign's text as the marketer does, and return the template."""
        before = self.env["sms.template"].search([])
        mailing.with_user(self.marketer).action_sms_ovh_save_template()
        return self.env["sms.template"].search([]) - before

    def test_kept_and_started_from(self):
        mailing = self._create_mailing(
            ["+33612340001"], body="Bonjour {{ object.first_name ||| cher client }} !"
        )
        mailing.write(
            {
                "sms_ovh_kind": "transactional",
                "sms_ovh_sender_id": self.short_number.id,
                "sms_ovh_gsm7": "all",
                "user_id": self.marketer.id,
            }
        )
        template = self._keep(mailing)
        self.assertEqual(template.name, mailing.subject)
        self.assertEqual(template.model, "mailing.contact")
        self.assertTrue(template.sms_ovh_for_campaigns)
        template = template.with_user(self.marketer)
        self.assertTrue(template.sms_ovh_is_own)

        action = template.action_sms_ovh_write_campaign()
        form = Form(
            self.env["mailing.mailing"]
            .with_user(self.marketer)
            .with_context(**action["context"]),
            "mass_mailing_sms.mailing_mailing_view_form_sms",
        )
        self.assertEqual(form.body_plaintext, mailing.body_plaintext)
        self.assertEqual(form.sms_ovh_kind, "transactional")
        self.assertEqual(form.sms_ovh_sender_id, self.short_number)
        self.assertEqual(form.sms_ovh_gsm7, "all")
        self.assertEqual(form.mailing_model_id.model, "mailing.list")

    def test_no_text_is_no_template(self):
        mailing = self._create_mailing(["+33612340001"], body="\u200b")
        with self.assertRaisesRegex(UserError, "no text yet"):
            mailing.action_sms_ovh_save_template()

    def test_a_template_without_choices_leaves_the_campaigns(self):
        template = self.env["sms.template"].create(
            {
                "name": "Soldes",
                "model_id": self.env["ir.model"]._get_id("mailing.contact"),
                "body": "Bonjour",
            }
        )
        mailing = self._create_mailing(["+33612340001"])
        sender = mailing.sms_ovh_sender_id
        with Form(mailing) as form:
            form.sms_template_id = template
            self.assertEqual(form.sms_ovh_kind, "marketing")
            self.assertEqual(form.sms_ovh_sender_id, sender)

    def test_others_templates_are_used_and_duplicated(self):
        theirs = self.env["sms.template"].create(
            {
                "name": "Commande",
                "model_id": self.env["ir.model"]._get_id("mailing.contact"),
                "body": "Bonjour",
            }
        )
        template = theirs.with_user(self.marketer)
        self.assertFalse(template.sms_ovh_is_own)
        self.assertEqual(template.body, "Bonjour")
        with self.assertRaises(AccessError):
            template.body = "Changé"
        with self.assertRaises(AccessError):
            template.unlink()
        copy = template.copy()
        self.assertTrue(copy.sms_ovh_is_own)
        copy.body = "Changé"
        copy.unlink()

    def test_nobody_else_writes_templates(self):
        seller = new_test_user(
            self.env, "vendeur", groups="base.group_user", company_id=self.company.id
        )
        values = {
            "name": "Commande",
            "model_id": self.env["ir.model"]._get_id("mailing.contact"),
            "body": "Bonjour",
        }
        with self.assertRaises(AccessError):
            self.env["sms.template"].with_user(seller).create(values)

    def test_what_a_template_may_hold(self):
        """A marketer writes neither another company's sender, nor code that is run."""
        other = self.env["res.company"].create({"name": "Voisine"})
        account = self._create_account(other, SERVICE_2, KEYS_2)
        Template = self.env["sms.template"].with_user(self.marketer)
        values = {
            "name": "Modèle",
            "model_id": self.env["ir.model"]._get_id("mailing.contact"),
            "body": "Bonjour",
        }
        with self.assertRaises(AccessError):
            Template.create({**values, "sms_ovh_sender_id": account.sender_ids[0].id})
        template = Template.create(values)
        with self.assertRaises(AccessError):
            template.sms_ovh_sender_id = account.sender_ids[0]
        self.assertFalse(self.marketer.has_group("mail.group_mail_template_editor"))
        with self.assertRaises(AccessError):
            Template.create({**values, "body": "{{ object.env.user.login }}"})

    def test_the_fields_offered_are_everybodys(self):
        """Those of `usual_fields.js`, also of who may edit no template of Odoo."""
        source = FOLDER / "static/src/components/sms_counter/usual_fields.js"
        table = source.read_text(encoding="utf-8").split("const PLACEHOLDERS")[0]
        offered = re.findall(r'"([\w.]+)": \[(.*?)\]', table, re.DOTALL)
        models = {
            model: re.findall(r'path: "([\w.]+)"', fields) for model, fields in offered
        }
        self.assertIn("first_name", models["mailing.contact"])
        self.assertGreaterEqual(len(models), 4)
        self.assertFalse(self.marketer.has_group("mail.group_mail_template_editor"))
        for model, paths in models.items():
            if model not in self.env:
                continue
            record = self.env[model].search([], limit=1)
            for path in paths:
                with self.subTest(model=model, path=path):
                    text = f"{{{{ object.{path} ||| client}}}}"
                    template = (
                        self.env["sms.template"]
                        .with_user(self.marketer)
                        .create(
                            {
                                "name": path,
                                "model_id": self.env["ir.model"]._get_id(model),
                                "body": text,
                            }
                        )
                    )
                    rendered = template._render_field("body", record.ids)
                    expected = record.mapped(path)[0] or "client"
                    self.assertEqual(rendered[record.id], expected)


class TemplateTourCase(SmsOvhCase, HttpCase):
    """Who writes campaigns and speaks French only, at one width."""

    def _start(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(
            ["web", "sms", "mass_mailing", "mass_mailing_sms", "sms_ovh"], ["fr_FR"]
        )
        marketer = new_test_user(
            self.env,
            "redactrice",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            lang="fr_FR",
        )
        self.start_tour(
            "/odoo/sms-templates/new", "sms_ovh_template", login="redactrice"
        )
        template = self.env["sms.template"].search([("name", "=", "Rentrée")])
        self.assertEqual(
            template.body, "Bonjour {{ object.first_name ||| cher client}}"
        )
        mailing = self._create_mailing(["+33612340001"], user_id=marketer.id)
        self.start_tour(
            f"/odoo/sms-marketing/{mailing.id}",
            "sms_ovh_keep_template",
            login="redactrice",
        )
        kept = self.env["sms.template"].search([("name", "=", mailing.subject)])
        self.assertEqual(kept.create_uid, marketer)
        self.assertEqual(kept.body, mailing.body_plaintext)


@tagged("-at_install", "post_install")
class TestTemplateTour(TemplateTourCase):
    browser_size = "1400x900"

    def test_tour(self):
        self._start()


@tagged("-at_install", "post_install")
class TestTemplateTourMobile(TemplateTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_tour(self):
        self._start()
