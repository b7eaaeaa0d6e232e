from odoo.tests import BaseCase, tagged

from . import ovh_description


@tagged("-at_install", "post_install")
class TestOvhDescription(BaseCase):
    """The comparison with OVHcloud's description, which each test's calls go through."""

    def setUp(self):
        super().setUp()
        if not ovh_description.is_here():
            self.skipTest("OVHcloud's description of its API is not here")

    def test_right_calls(self):
        service = "/sms/sms-ab12345-1"
        for method, path, query, body in (
            ("GET", "/sms", (), ()),
            ("GET", f"{service}/outgoing", ("tag", "creationDatetime.from"), ()),
            ("GET", f"{service}/outgoing/1,2,3", (), ()),
            ("GET", f"{service}/blacklists/%2B33611111111", (), ()),
            ("POST", f"{service}/users/me/jobs", (), ("message", "receivers")),
            ("PUT", f"{service}/users/me", (), ("callBack",)),
            ("PUT", service, (), ("stopCallBack", "smsResponse")),
            ("GET", "/sms/rates/destinations", ("country",), ()),
            ("GET", "/auth/time", (), ()),
        ):
            self.assertFalse(
                ovh_description.find_breaches(method, path, query, body), path
            )

    def test_wrong_calls(self):
        service = "/sms/sms-ab12345-1"
        for method, path, query, body in (
            ("GET", f"{service}/users/me/outgoing", ("creationDatetime.from",), ()),
            ("GET", f"{service}/unknown", (), ()),
            ("DELETE", service, (), ()),
            (
                "POST",
                f"{service}/virtualNumbers/%2B337/jobs",
                (),
                ("message", "sender"),
            ),
            ("POST", f"{service}/jobs", (), ("receivers",)),
            ("PUT", service, (), ("creditsLeft",)),
            ("GET", "/sms/rates/destinations", (), ()),
        ):
            self.assertTrue(
                ovh_description.find_breaches(method, path, query, body), path
            )
