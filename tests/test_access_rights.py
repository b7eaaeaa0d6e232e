from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

# What each group may do: the matrix of docs/security.rst, cell by cell. c create, r read,
# w write, d delete.
GROUPS = {
    "public": "base.group_public",
    "portal": "base.group_portal",
    "internal": "base.group_user",
    "marketing": "mass_mailing.group_mass_mailing_user",
    "administrator": "sms_ovh.group_sms_ovh_admin",
    "system": "base.group_system",
}
MATRIX = {
    # model: {group: rights}, none for those that are not named
    "sms.ovh.account": {"marketing": "r", "administrator": "crwd", "system": "crwd"},
    "sms.ovh.sender": {
        # Who writes an SMS chooses its sender.
        "internal": "r",
        "marketing": "r",
        "administrator": "crwd",
        "system": "crwd",
    },
    "sms.ovh.user": {"marketing": "r", "administrator": "crwd", "system": "crwd"},
    "sms.ovh.reply": {"marketing": "r", "administrator": "r", "system": "rd"},
    "sms.ovh.log": {"marketing": "r", "administrator": "r", "system": "rd"},
    "sms.ovh.figure": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.report": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.job": {"administrator": "r", "system": "r"},
    "sms.ovh.event": {"administrator": "r", "system": "rd"},
    "sms.ovh.estimate": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.estimate.line": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.estimate.slice": {"administrator": "r", "system": "r"},
    "sms.ovh.rate": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.number.check": {"marketing": "r", "administrator": "r", "system": "rd"},
    "sms.ovh.stop": {"marketing": "r", "administrator": "r", "system": "rd"},
    "sms.ovh.sender.country": {
        "marketing": "r",
        "administrator": "crwd",
        "system": "crwd",
    },
    "sms.ovh.exception": {"marketing": "r", "administrator": "r", "system": "r"},
    "sms.ovh.hours": {"marketing": "r", "administrator": "crwd", "system": "crwd"},
}
OPERATIONS = {"c": "create", "r": "read", "w": "write", "d": "unlink"}


@tagged("-at_install", "post_install")
class TestAccessRights(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.companies = cls.env["res.company"].create(
            [{"name": "Ma Boutique"}, {"name": "Autre"}]
        )
        cls.accounts = cls.env["sms.ovh.account"].create(
            [
                {
                    "company_id": company.id,
                    "service_name": f"sms-access-{index}",
                    "application_key": "demoapplication1",
                    "application_secret": "demosecret1demosecret1demosecret1",
                    "consumer_key": "democonsumer1democonsumer1democo",
                }
                for index, company in enumerate(cls.companies)
            ]
        )
        cls.records = {"sms.ovh.account": cls.accounts}
        for model, values in cls._get_values().items():
            cls.records[model] = cls.env[model].create(
                [{"account_id": account.id, **values} for account in cls.accounts]
            )
        cls._add_estimates()
        cls.records["sms.ovh.sender.country"] = cls.env[
            "sms.ovh.sender.country"
        ].create(
            [
                {
                    "account_id": sender.account_id.id,
                    "country_id": cls.env.ref("base.es").id,
                    "sender_id": sender.id,
                }
                for sender in cls.records["sms.ovh.sender"]
            ]
        )
        cls.records["sms.ovh.hours"] = cls.env["sms.ovh.hours"].create(
            [
                {"company_id": company.id, "country_id": cls.env.ref("base.be").id}
                for company in cls.companies
            ]
        )
        # A view on the log.
        cls.records["sms.ovh.report"] = cls.env["sms.ovh.report"].browse(
            cls.records["sms.ovh.log"].ids
        )
        cls.users = {}
        for name, group in GROUPS.items():
            cls.users[name] = new_test_user(
                cls.env,
                f"access_{name}",
                groups=group,
                company_id=cls.companies[0].id,
                company_ids=cls.companies[0].ids,
            )

    @classmethod
    def _add_estimates(cls):
        """Estimates are of a campaign, and their lines and slices of an estimate."""
        mailings = cls.env["mailing.mailing"].create(
            [
                {"subject": "Ventes privées", "sms_ovh_company_id": company.id}
                for company in cls.companies
            ]
        )
        estimates = cls.env["sms.ovh.estimate"].create(
            [
                {"account_id": account.id, "mailing_id": mailing.id}
                for account, mailing in zip(cls.accounts, mailings, strict=True)
            ]
        )
        cls.records["sms.ovh.estimate"] = estimates
        for model, values in (
            ("sms.ovh.estimate.line", {"kind": "size"}),
            ("sms.ovh.estimate.slice", {}),
        ):
            cls.records[model] = cls.env[model].create(
                [{"estimate_id": estimate.id, **values} for estimate in estimates]
            )

    @classmethod
    def _get_values(cls):
        """Return what a record of each model needs, besides its account."""
        return {
            "sms.ovh.sender": {"name": "Nom", "type": "alpha", "status": "enable"},
            "sms.ovh.user": {"login": "marketing"},
            "sms.ovh.job": {"body": "Bonjour"},
            "sms.ovh.event": {"sms_ovh_id": "1"},
            "sms.ovh.reply": {"ovh_id": "1", "number": "+33611111111", "body": "Oui"},
            "sms.ovh.log": {"date": "2026-01-01", "state": "sent"},
            "sms.ovh.figure": {"date": "2026-01-01"},
            "sms.ovh.rate": {"country_code": "FR"},
            "sms.ovh.exception": {"country_code": "FR"},
            "sms.ovh.stop": {"number": "+33611111111"},
            "sms.ovh.number.check": {"number": "+33611111111"},
        }

    def _env(self, name):
        return self.env(
            user=self.users[name],
            context={"allowed_company_ids": self.companies[0].ids},
        )

    def test_every_lasting_model_is_in_the_matrix(self):
        models = self.env["ir.model"].search([("model", "=like", "sms.ovh.%")])
        lasting = {
            model.model
            for model in models
            if not model.transient and not model.abstract
        }
        self.assertEqual(lasting, set(MATRIX))

    def test_cell_by_cell(self):
        for model, cells in MATRIX.items():
            own, other = self.records[model]
            for name in GROUPS:
                env = self._env(name)
                for letter, operation in OPERATIONS.items():
                    expected = letter in cells.get(name, "")
                    with self.subTest(model=model, group=name, operation=operation):
                        self.assertEqual(env[model].has_access(operation), expected)
                        self.assertEqual(
                            own.with_env(env).has_access(operation), expected
                        )
                        # Another company's: never.
                        self.assertFalse(other.with_env(env).has_access(operation))

    def test_searches_find_own_records_only(self):
        for model, cells in MATRIX.items():
            for name in cells:
                with self.subTest(model=model, group=name):
                    found = self._env(name)[model].search([])
                    self.assertFalse(found & self.records[model][1].with_env(found.env))

    def test_secrets(self):
        """Nobody but system reads a secret, nor guesses one by searching for it."""
        secrets = [
            name
            for name, field in self.env["sms.ovh.account"]._fields.items()
            if field.groups == "base.group_system"
        ]
        self.assertLessEqual(
            {"application_key", "application_secret", "consumer_key", "callback_token"},
            set(secrets),
        )
        for group in GROUPS:
            env = self._env(group)
            account = self.accounts[0].with_env(env)
            for name in secrets:
                with self.subTest(group=group, field=name):
                    if group == "system":
                        account.read([name])
                        continue
                    with self.assertRaises(AccessError):
                        account.read([name])
                    with self.assertRaises(UserError):
                        account.export_data([name])
                    if self.accounts._fields[name].store:
                        with self.assertRaises(AccessError):
                            env["sms.ovh.account"].search([(name, "=like", "demo%")])
                        with self.assertRaises(AccessError):
                            env["sms.ovh.account"]._read_group([], [name])
