"""What the tests share: a simulated OVHcloud, and accounts that send through it."""

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from unittest import SkipTest
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from odoo.tests import BaseCase, TransactionCase
from odoo.tools import SQL

from .. import const
from ..models import sms_ovh_event
from ..tools import ovh_calls, ovh_client
from . import ovh_description

# Last, so that what is in it takes no other's place.
sys.path.append(str(Path(__file__).resolve().parent.parent / "dev"))
try:
    from ovh_simulator.client import Simulator as SimulatorClient
    from ovh_simulator.process import Process
except ImportError:
    # An installed addon has no `dev/`.
    SimulatorClient, Process = object, None

START_TIMEOUT = 60  # seconds
SERVICE_1 = "sms-ab12345-1"
SERVICE_2 = "sms-cd67890-1"
KEYS_1 = {
    "application_key": "demoapplication1",
    "application_secret": "demosecret1demosecret1demosecret1",
    "consumer_key": "democonsumer1democonsumer1democo",
}
KEYS_2 = {
    "application_key": "demoapplication2",
    "application_secret": "demosecret2demosecret2demosecret2",
    "consumer_key": "democonsumer2democonsumer2democo",
}
# A text with what OVHcloud takes for a phone number and we do not: the country is none.
UNREAL_NUMBER = "Appelez le +999 1234567"


#: What the simulator's clock is set to where it is not to hold anything back any more:
#: the real time, at which it is always open.
DAY = None


def last_night():
    """Return an hour just past at which OVHcloud holds marketing SMS back.

    The last 23:00 of Paris: recent, whatever day the tests run on, since what an SMS
    became of is only asked for around the time at which Odoo sent it.

    :rtype: str
    """
    now = datetime.now(ZoneInfo("Europe/Paris"))
    night = now.replace(hour=23, minute=0, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    return night.isoformat()


class Simulator(SimulatorClient):
    """The simulated OVHcloud of `dev/`."""

    def reset(self):
        """Go back to the seed; callbacks wait until a test asks for them."""
        self.call("POST", "reset")
        self.configure(callback_mode="manual", callback_delay_ms=[0, 0])

    def _call(self, method, path, content=None):
        return self.call(method, path, content)

    def forget_callbacks(self, service=SERVICE_1):
        """Drop the callbacks about what a service sent; without an address there are none."""
        is_called = self.get_state("services")["services"][service]["callBack"]
        self.pop_callbacks(count=int(bool(is_called)))


class SimulatorCase(BaseCase):
    """Tests with a simulated OVHcloud, as new at the start of each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = Simulator(
            os.environ.get("SMS_OVH_SIMULATOR") or cls._start_simulator()
        )
        cls.simulator.reset()

    @classmethod
    def _start_simulator(cls):
        """Start a simulator where none was started for all tests.

        Odoo ends child processes after each class of tests, so each starts one.

        :return: its address
        :raise SkipTest: where it is not there (an installed addon has no `dev/`) and
            ``SMS_OVH_REQUIRE_SIMULATOR`` does not insist on it
        """
        required = os.environ.get("SMS_OVH_REQUIRE_SIMULATOR")
        if not Process:
            if required:
                raise RuntimeError("there is no simulator")
            raise SkipTest("the simulator of the addon's repository is not here")
        process = Process()
        cls.addClassCleanup(process.stop)
        try:
            return process.wait(START_TIMEOUT).root
        except Exception as error:
            if required:
                raise
            raise SkipTest("the simulator does not start") from error

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        """Override of Odoo's tests, which cannot compare (connect, read) time-outs."""
        timeout = kwargs.get("timeout")
        if isinstance(timeout, tuple):
            kwargs["timeout"] = max(timeout)
        cls._compare_with_description(request)
        return super()._request_handler(session, request, **kwargs)

    @classmethod
    def _compare_with_description(cls, request):
        """Note what a call to the simulated API holds that OVHcloud's has not."""
        path = request.url.removeprefix(cls.simulator.api_url)
        if path == request.url or cls.wrong_calls_wanted:
            return
        url = urlsplit(path)
        body = json.loads(request.body) if request.body else {}
        # Of threads, too: collected here, looked at when the test ends.
        cls.breaches.extend(
            ovh_description.find_breaches(
                request.method,
                url.path,
                [name for name, __ in parse_qsl(url.query, keep_blank_values=True)],
                list(body),
            )
        )

    # Where a test makes calls that OVHcloud does not know, to see how they are refused.
    wrong_calls_wanted = False
    breaches = []

    def _check_breaches(self):
        found = sorted(set(self.breaches))
        self.breaches.clear()
        self.assertFalse(found)

    @classmethod
    def _create_account(cls, company, service_name=SERVICE_1, keys=None, connect=True):
        """Create the account of `company` and have it send with it."""
        account = cls.env["sms.ovh.account"].create(
            {
                "company_id": company.id,
                "service_name": service_name,
                "endpoint": "custom",
                "endpoint_url": cls.simulator.api_url,
                **(keys or KEYS_1),
            }
        )
        if connect:
            account.action_synchronise()
            company.write(
                {
                    "sms_ovh_account_id": account.id,
                    # So that the tests pass at any hour.
                    "sms_ovh_quiet_hours": False,
                }
            )
        return account

    def setUp(self):
        super().setUp()
        self.simulator.reset()
        ovh_client._clock_cache.clear()
        ovh_calls._refused.clear()
        self.addCleanup(self._check_breaches)


class SmsOvhCase(SimulatorCase, TransactionCase):
    """A company with an OVHcloud account, connected to the simulator."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.france = cls.env.ref("base.fr")
        cls.company = cls.env["res.company"].create(
            {"name": "Ma Boutique", "country_id": cls.france.id}
        )
        cls.account = cls._create_account(cls.company, SERVICE_1, KEYS_1)
        cls.env.user.company_ids |= cls.company
        cls.env.user.company_id = cls.company
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.account = cls.account.with_env(cls.env)
        # Where OCA's `queue_job` is installed too, its runner would have to run.
        cls.classPatch(
            type(cls.env["sms.ovh.job"]), "_has_queue_job", lambda jobs: False
        )
        # Nothing comes without a trigger while the inbox is treated: no need to wait.
        cls.classPatch(sms_ovh_event, "WAKE_EVERY", 0.01)

    def setUp(self):
        super().setUp()
        self.addCleanup(self._check_figures)

    def _check_figures(self):
        """Compare the figures with the log, whatever the test did with SMS."""
        self.env.flush_all()
        counts = [state for state, __ in const.LOG_STATES]
        differences = self.env.execute_query(
            SQL(
                """
                SELECT account_id, sender_id, date, %(sums)s, SUM(credits)
                  FROM (SELECT account_id, sender_id, date, %(counts)s, credits
                          FROM sms_ovh_figure
                     UNION ALL
                        SELECT account_id, sender_id,
                               to_timestamp(
                                   900 * floor(extract(epoch FROM date) / 900)
                               ) AT TIME ZONE 'UTC',
                               %(logged)s, -COALESCE(credits, 0)::numeric
                          FROM sms_ovh_log) AS both_sides
              GROUP BY account_id, sender_id, date
                HAVING (%(sums)s) <> (%(zeros)s) OR ABS(SUM(credits)) > 1e-9
                """,
                counts=SQL(", ").join(map(SQL.identifier, counts)),
                sums=SQL(", ").join(
                    SQL("SUM(%s)", SQL.identifier(name)) for name in counts
                ),
                logged=SQL(", ").join(
                    SQL("-(state = %s)::int", name) for name in counts
                ),
                zeros=SQL(", ").join(SQL("0") for __ in counts),
            )
        )
        self.assertEqual(differences, [])

    def _sender(self, **values):
        """Return the one sender of the account with these values."""
        sender = self.account.sender_ids.filtered_domain(
            [(name, "=", value) for name, value in values.items()]
        )
        self.assertEqual(len(sender), 1)
        return sender

    def _create_sms(self, numbers, body="Bonjour", **values):
        """Create one queued SMS a number."""
        return self.env["sms.sms"].create(
            [{"number": number, "body": body, **values} for number in numbers]
        )

    def _create_mailing(self, numbers, body="Bonjour", **values):
        """Create an SMS campaign to a list of contacts with these numbers."""
        mailing_list = self.env["mailing.list"].create({"name": "Clients"})
        self.env["mailing.contact"].create(
            [
                {
                    "name": number,
                    "mobile": number,
                    "country_id": self.france.id,
                    "list_ids": mailing_list.ids,
                }
                for number in numbers
            ]
        )
        return self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": mailing_list.ids,
                "body_plaintext": body,
                **values,
            }
        )

    def _commit(self):
        """End the user's transaction: what is to happen after it happens now."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()

    def _run_cron(self, xmlid):
        """Run a cron as Odoo does, in a cursor of its own."""
        with self.enter_registry_test_mode():
            self.env.ref(xmlid).with_user(self.env.ref("base.user_root")).sudo(
                False
            ).method_direct_trigger()

    @staticmethod
    def _numbers(count, first=0):
        """Return mobile numbers, which the simulator delivers to."""
        return [f"+3361{first + index:07d}" for index in range(count)]
