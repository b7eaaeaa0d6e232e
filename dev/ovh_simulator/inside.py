"""What programs that run inside Odoo do with a simulator."""

from . import seed

KEYS = {
    "application_key": seed.APPLICATION_KEY_1,
    "application_secret": seed.APPLICATION_SECRET_1,
    "consumer_key": seed.CONSUMER_KEY_1,
}


def create_account(env, api_url):
    """Create the main company's account at the simulator.

    :param env: Odoo's environment.
    :param str api_url: where the API is.
    :return: the account, not connected yet.
    """
    return env["sms.ovh.account"].create(
        {
            "company_id": env.company.id,
            "service_name": seed.SERVICE_1,
            "endpoint": "custom",
            "endpoint_url": api_url,
            **KEYS,
        }
    )


def connect(env, api_url):
    """Have the main company, which is French, send through the simulator at any hour.

    :param env: Odoo's environment.
    :param str api_url: where the API is.
    :return: the account.
    :raise RuntimeError: where it is not connected.
    """
    company = env.company
    company.country_id = env.ref("base.fr")
    if "sms_ovh_quiet_hours" in company:
        company.sms_ovh_quiet_hours = False
    account = create_account(env, api_url)
    account.action_synchronise()
    if account.state != "connected":
        raise RuntimeError(account.state_message)
    company.sms_ovh_account_id = account
    return account


def create_mailing(env, subject, numbers=(), model="mailing.list", **values):
    """Create an SMS campaign.

    :param env: Odoo's environment.
    :param numbers: to a mailing list of contacts of these numbers, where given.
    :param str model: of its recipients.
    :param values: of the campaign, besides what each has.
    :return: the campaign.
    """
    if numbers:
        mailing_list = env["mailing.list"].create({"name": subject})
        contact = {"country_id": env.ref("base.fr").id, "list_ids": mailing_list.ids}
        env["mailing.contact"].create(
            [{"name": number, "mobile": number, **contact} for number in numbers]
        )
        values["contact_list_ids"] = mailing_list.ids
    return env["mailing.mailing"].create(
        {
            "subject": subject,
            "mailing_type": "sms",
            "mailing_model_id": env["ir.model"]._get_id(model),
            **values,
        }
    )
