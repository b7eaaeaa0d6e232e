"""The check that owners of accounts run: it tells the simulator's readings apart."""

import io

import pytest
from conformity import __main__ as conformance
from conformity import sending
from conftest import OWNERS, SERVICE
from ovh_simulator import seed

NUMBERS = ["+33612341000", "+33612341001", "+33612341002"]
SECRETS = (
    seed.APPLICATION_KEY_1,
    seed.APPLICATION_SECRET_1,
    seed.CONSUMER_KEY_1,
    seed.SERVICE_1,
    seed.USER_WITHOUT_QUOTA,
    seed.VIRTUAL_NUMBER,
    seed.SENDER_ENABLED,
)


@pytest.fixture
def run(base, simulator, monkeypatch, capsys):
    """:return: function that runs the check and gives the readings by fact."""
    for name, value in {
        "OVH_APPLICATION_KEY": seed.APPLICATION_KEY_1,
        "OVH_APPLICATION_SECRET": seed.APPLICATION_SECRET_1,
        "OVH_CONSUMER_KEY": seed.CONSUMER_KEY_1,
        "SMS_OVH_SERVICE": seed.SERVICE_1,
        "SMS_OVH_API_URL": f"{base}/1.0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sending, "LISTED_WITHIN", 1)

    def run(*numbers, answer="yes"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
        status = conformance.main([f"--send={number}" for number in numbers])
        text = capsys.readouterr().out
        report = text[text.find("Conformance") :] if "Conformance" in text else ""
        # nothing that is anybody's
        for secret in (*SECRETS, *NUMBERS, "Bonjour"):
            assert secret not in report
        found = dict(
            line[2:].rsplit(": ", 1) for line in report.splitlines() if line[:2] == "- "
        )
        return status, found

    return run


@pytest.fixture
def history(send):
    """SMS of the account, of an API user and of a virtual number."""
    for number, path in zip(NUMBERS, OWNERS, strict=True):
        send(number, path=path)
        send(number, path=path, differedPeriod=60)


def _only(found, words):
    (value,) = [value for fact, value in found.items() if words in fact]
    return value


@pytest.mark.parametrize("all_of_them", [True, False])
@pytest.mark.parametrize("refused", [None, "."])
@pytest.mark.parametrize("deferred_too", [True, False])
def test_readings(run, simulator, history, all_of_them, refused, deferred_too):
    simulator.configure(
        account_lists_all=all_of_them,
        batch_refused=refused,
        deferred_in_outgoing=deferred_too,
    )
    status, found = run()
    assert status == 0
    held = "all" if all_of_them else "none"
    assert _only(found, "outgoing of API users") == held
    assert _only(found, "outgoing of virtual numbers") == held
    for name in ("outgoing", "jobs", "senders", "users"):
        value = _only(found, f"X-Ovh-Batch): {name}")
        assert value == "taken" if refused is None else value != "taken"
    assert _only(found, "waits to leave") == ("yes" if deferred_too else "no")
    assert _only(found, "takes no period") == "HTTP 400"
    assert _only(found, "does not exist") == "HTTP 404"
    # it only reads
    assert len(simulator.ledger) == 6


def test_nothing_to_tell_by(run):
    _status, found = run()
    assert _only(found, "outgoing of API users") == "nothing there to tell by"


@pytest.mark.parametrize("order", ["receivers", "swapped"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sending(run, simulator, order, count):
    simulator.configure(ids_order=order)
    status, found = run(*NUMBERS[:count])
    assert status == 0
    ledger = simulator.ledger
    assert len(ledger) <= 3
    assert {sms["receiver"] for sms in ledger} == set(NUMBERS[:count])
    assert all(sms["sent"] is None for sms in ledger if sms["status"] == "cancelled")
    if count == 1:
        assert _only(found, "stands twice") == "1 SMS"
    else:
        wanted = "follow" if order == "receivers" else "do not follow"
        assert _only(found, "ids of an answer") == wanted
    if count < 3:
        assert _only(found, "a deferred SMS") == "jobs; cancelled"


def test_sending_is_confirmed(run, simulator):
    status, found = run(NUMBERS[0], answer="no")
    assert (status, found, simulator.ledger) == (1, {}, [])


def test_keys_are_asked_for(run, monkeypatch):
    monkeypatch.delenv("OVH_CONSUMER_KEY")
    with pytest.raises(SystemExit, match="OVH_CONSUMER_KEY"):
        run()


def test_refused_service(run, monkeypatch):
    monkeypatch.setenv("SMS_OVH_SERVICE", "sms-none-1")
    status, found = run()
    assert status == 0
    assert _only(found, "is enabled") == "HTTP 404"
    assert SERVICE not in str(found)
