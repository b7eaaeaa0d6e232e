import {CampaignProgress, DELAYS} from "@sms_ovh/campaign/campaign_progress";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    getService,
    makeMockEnv,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {
    advanceTime,
    animationFrame,
    beforeEach,
    describe,
    expect,
    freezeTime,
    mockDate,
    queryAllTexts,
    test,
} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

class MailingMailing extends models.Model {
    _name = "mailing.mailing";

    subject = fields.Char();
    state = fields.Selection({
        selection: [
            ["in_queue", "In Queue"],
            ["sending", "Sending"],
            ["done", "Sent"],
        ],
    });

    _records = [
        {id: 1, subject: "Ventes privées", state: "sending"},
        {id: 2, subject: "Another", state: "sending"},
    ];
    _views = {
        form: `
            <form>
                <field name="subject"/>
                <field name="state"/>
                <widget name="sms_ovh_progress"/>
            </form>`,
    };
}

defineMailModels();
defineModels([MailingMailing]);

let progress = {};
let results = {};

function makeProgress(counts, values = {}) {
    const all = {
        waiting: 0,
        accepted: 0,
        delivered: 0,
        failed: 0,
        cancelled: 0,
        ...counts,
    };
    return {
        state: "sending",
        paused: false,
        cancelled: false,
        can_write: true,
        counts: all,
        total: Object.values(all).reduce((sum, count) => sum + count, 0),
        per_minute: 0,
        expected_end: false,
        started_at: false,
        sent_at: false,
        failures: [],
        exclusions: [],
        retryable: 0,
        ...values,
    };
}

function makeResults(values = {}) {
    return {
        taken: 1000,
        segments: 1000,
        credits: 1250,
        cost: 0,
        currency_id: false,
        delivered: 985,
        clicks: 0,
        has_links: false,
        stops: 2,
        replies: 1,
        median: 4,
        slowest_tenth: 95,
        countries: [
            {id: 1, name: "France", taken: 1000, delivered: 985, credits: 1250},
        ],
        senders: [
            {id: 1, name: "MaBoutique", taken: 1000, delivered: 985, credits: 1250},
        ],
        ab_test: false,
        ...values,
    };
}

let announce = null;
let left = [];
let workerState = "";
let loads = [];

/** Wait until what was asked of the server is answered and shown. */
async function settle() {
    await animationFrame();
    while (loads.length) {
        await Promise.all(loads.splice(0));
        await animationFrame();
    }
}

/** Let time pass: the tests' own, however long the machine takes over it. */
async function pass(milliseconds) {
    await advanceTime(milliseconds);
    await settle();
}

async function mount(resId = 1) {
    mockService("bus_service", {
        addChannel: (channel) => expect.step(`add ${channel}`),
        deleteChannel: (channel) => left.push(channel),
        subscribe: (type, callback) => {
            if (type === "sms_ovh.progress") {
                announce = callback;
            }
        },
        unsubscribe: () => null,
    });
    await makeMockEnv();
    // Whatever the bus itself comes to meanwhile: it connects when it can.
    Object.defineProperty(getService("bus_service"), "workerState", {
        get: () => workerState,
        set: () => null,
    });
    await mountView({
        type: "form",
        resModel: "mailing.mailing",
        resId,
        resIds: [1, 2],
    });
    await settle();
}

describe.current.tags("desktop");

beforeEach(() => {
    freezeTime();
    mockDate("2026-11-23 12:00:00", 0);
    loads = [];
    patchWithCleanup(CampaignProgress.prototype, {
        load() {
            const load = super.load();
            loads.push(load);
            return load;
        },
    });
    progress = makeProgress({waiting: 1000});
    results = makeResults();
    workerState = "CONNECTED";
    left = [];
    onRpc("mailing.mailing", "sms_ovh_get_progress", ({args}) => {
        expect.step(`progress ${args[0]}`);
        return {channel: `sms_ovh.mailing_${args[0]}`, ...progress};
    });
    onRpc("mailing.mailing", "sms_ovh_get_results", ({args}) => {
        expect.step(`results ${args[0]}`);
        return results;
    });
});

function figures() {
    return Object.fromEntries(
        queryAllTexts(".o_sms_ovh_figure").map((text) => text.split("\n"))
    );
}

test("figures, speed and end follow the announcements", async () => {
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    expect(".o_sms_ovh_progress_title").toHaveText("Sending");
    expect(figures()).toEqual({
        Delivered: "0",
        Accepted: "0",
        Failed: "0",
        Cancelled: "0",
        Waiting: "1,000",
    });
    expect(".o_sms_ovh_speed").toHaveText("–");
    expect(".o_sms_ovh_end").toHaveText("–");

    progress = makeProgress(
        {waiting: 600, accepted: 250, delivered: 140, failed: 10},
        {per_minute: 1200, expected_end: "2026-11-23 12:00:30"}
    );
    announce({id: 2});
    await pass(DELAYS.trailing);
    expect.verifySteps([]);
    announce({id: 1});
    await pass(DELAYS.shortest);
    expect.verifySteps(["progress 1"]);
    expect(figures().Waiting).toBe("600");
    expect(".o_sms_ovh_percentage").toHaveText(/^40\s%$/);
    expect(".o_sms_ovh_speed").toHaveText("1,200");
    expect(".o_sms_ovh_end").toHaveText("12:00 PM");
    expect(".progress-bar[data-name='accepted']").toHaveStyle({width: /px|%/});
    expect(".progress-bar[data-name='delivered']").toHaveAttribute("style", /14%/);
    expect(".progress").toHaveAttribute(
        "aria-label",
        /Recipients: 1,000. Delivered: 140/
    );
    // What came within the second after the announcement.
    await pass(DELAYS.trailing);
    expect.verifySteps(["progress 1"]);
});

test("what moves is asked for again, though nothing is announced", async () => {
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    let asked = 0;
    onRpc("mailing.mailing", "sms_ovh_get_progress", () => {
        asked++;
        return progress;
    });
    progress = makeProgress({waiting: 600, delivered: 400});
    announce({id: 1});
    await pass(DELAYS.shortest);
    expect(figures().Delivered).toBe("400");
    progress = makeProgress({waiting: 500, delivered: 500});
    await pass(DELAYS.trailing);
    progress = makeProgress({waiting: 400, delivered: 600});
    await pass(10 * DELAYS.trailing);
    expect(figures().Delivered).toBe("600");
    expect(asked).toBeLessThan(8);
});

test("many announcements, few questions", async () => {
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    let asked = 0;
    onRpc("mailing.mailing", "sms_ovh_get_progress", () => {
        asked++;
        return progress;
    });
    for (let count = 0; count < 50; count++) {
        announce({id: 1});
        await pass(100);
    }
    // Five seconds.
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(7);
});

test("without the bus it asks by itself, and stops at the end", async () => {
    workerState = "DISCONNECTED";
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    progress = makeProgress(
        {accepted: 1000},
        {state: "done", sent_at: "2026-11-23 11:59:00"}
    );
    await pass(DELAYS.sending.polling);
    // The rest of the form is shown as it is now, too.
    expect.verifySteps(["progress 1", "results 1"]);
    expect(".o_sms_ovh_progress_title").toHaveText(
        "Sent, delivery reports are coming in"
    );
    // What moved may go on moving.
    await pass(DELAYS.trailing);
    expect.verifySteps(["progress 1", "results 1"]);
    progress = makeProgress(
        {delivered: 1000},
        {state: "done", sent_at: "2026-11-23 11:59:00"}
    );
    await pass(DELAYS.waitingForReports.polling);
    expect.verifySteps(["progress 1", "results 1"]);
    expect(".o_sms_ovh_progress_title").toHaveText("Campaign sent");
    await pass(10 * DELAYS.waitingForReports.live);
    expect.verifySteps([]);
});

test("with the bus it asks seldom", async () => {
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    await pass(DELAYS.sending.polling);
    expect.verifySteps([]);
    await pass(DELAYS.sending.live);
    expect.verifySteps(["progress 1"]);
});

test("the form shows the new state, unless somebody writes in it", async () => {
    await mount();
    await contains("[name='subject'] input").edit("Being written", {confirm: false});
    progress = makeProgress({waiting: 10}, {state: "done"});
    onRpc("mailing.mailing", "web_read", () => expect.step("read"));
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    announce({id: 1});
    await pass(DELAYS.shortest);
    expect.verifySteps(["progress 1"]);
    expect("[name='subject'] input").toHaveValue("Being written");
});

test("the form is read again when the campaign is done", async () => {
    await mount();
    onRpc("mailing.mailing", "web_read", () => expect.step("read"));
    progress = makeProgress({delivered: 10}, {state: "done"});
    MockServer.env["mailing.mailing"].write([1], {state: "done"});
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    announce({id: 1});
    await pass(DELAYS.shortest);
    expect.verifySteps(["progress 1", "read"]);
});

test("another campaign, another channel", async () => {
    await mount();
    expect.verifySteps(["progress 1", "add sms_ovh.mailing_1"]);
    await contains(".o_pager_next").click();
    await settle();
    expect(left).toEqual(["sms_ovh.mailing_1"]);
    expect.verifySteps(["progress 2", "add sms_ovh.mailing_2"]);
});

test("a campaign that is called back", async () => {
    progress = makeProgress({waiting: 3, delivered: 1}, {cancelled: "cancelling"});
    await mount();
    expect(".o_sms_ovh_progress_title").toHaveText("Being Cancelled");
    progress = makeProgress(
        {cancelled: 3, delivered: 1},
        {state: "done", cancelled: "cancelled"}
    );
    await contains(".o_pager_next").click();
    await settle();
    expect(".o_sms_ovh_progress_title").toHaveText("Cancelled");
    expect.verifySteps([
        "progress 1",
        "add sms_ovh.mailing_1",
        "progress 2",
        "add sms_ovh.mailing_2",
    ]);
});

test("pause, resume, and who may not", async () => {
    onRpc("mailing.mailing", "action_sms_ovh_pause", () => {
        expect.step("pause");
        progress = makeProgress({waiting: 1000}, {paused: true});
        return true;
    });
    onRpc("mailing.mailing", "action_sms_ovh_resume", () => {
        expect.step("resume");
        progress = makeProgress({waiting: 1000}, {can_write: false});
        return true;
    });
    await mount();
    await contains(".o_sms_ovh_pause").click();
    await settle();
    expect(".o_sms_ovh_progress_title").toHaveText("Paused");
    await contains(".o_sms_ovh_resume").click();
    await settle();
    expect(".o_sms_ovh_progress_title").toHaveText("Sending");
    expect(".o_sms_ovh_pause").toHaveCount(0);
    expect(".o_sms_ovh_resume").toHaveCount(0);
    expect.verifySteps([
        "progress 1",
        "add sms_ovh.mailing_1",
        "pause",
        "progress 1",
        "resume",
        "progress 1",
    ]);
});

test("failures by reason, and trying again", async () => {
    progress = makeProgress(
        {delivered: 90, failed: 10, cancelled: 5},
        {
            state: "done",
            sent_at: "2026-11-23 11:59:00",
            retryable: 7,
            failures: [
                {
                    figure: "failed",
                    failure_type: "sms_ovh_sender",
                    label: "Sender Refused",
                    reason: "OVHcloud refuses the sender.",
                    count: 7,
                    retryable: true,
                },
                {
                    figure: "failed",
                    failure_type: "sms_expired",
                    label: "Expired",
                    reason: "",
                    count: 3,
                    retryable: false,
                },
            ],
            exclusions: [
                {
                    figure: "cancelled",
                    failure_type: "sms_blacklist",
                    label: "Blacklisted",
                    reason: "",
                    count: 5,
                    retryable: false,
                },
            ],
        }
    );
    onRpc("mailing.mailing", "action_view_sms_ovh_figure", ({args}) => {
        expect.step(args);
        return {type: "ir.actions.act_window_close"};
    });
    onRpc("mailing.mailing", "action_sms_ovh_retry", () => {
        expect.step("retry");
        return {
            type: "ir.actions.client",
            tag: "display_notification",
            params: {type: "success", message: "7 SMS are sent again."},
        };
    });
    await mount();
    expect(queryAllTexts(".o_sms_ovh_failures li")).toEqual([
        "7\nOVHcloud refuses the sender.Can be retried",
        "3\nExpired",
    ]);
    await contains(".o_sms_ovh_failures li:first-child button").click();
    await settle();
    await contains(".o_sms_ovh_exclusions summary").click();
    await settle();
    await contains(".o_sms_ovh_exclusions li button").click();
    await settle();
    await contains(".o_sms_ovh_figure[data-name='delivered']").click();
    await settle();
    expect(".o_sms_ovh_retry").toHaveText("Retry those that can be retried (7)");
    await contains(".o_sms_ovh_retry").click();
    await settle();
    expect(".o_notification").toHaveText(/7 SMS are sent again/);
    expect.verifySteps([
        "progress 1",
        "results 1",
        "add sms_ovh.mailing_1",
        [[1], "failed", "sms_ovh_sender", "OVHcloud refuses the sender."],
        [[1], "cancelled", "sms_blacklist", ""],
        [[1], "delivered"],
        "retry",
        "progress 1",
        "results 1",
    ]);
});

test("results", async () => {
    progress = makeProgress(
        {delivered: 985, failed: 15},
        {state: "done", sent_at: "2026-11-23 11:59:00"}
    );
    await mount();
    expect(".o_sms_ovh_rate").toHaveText("98.5 %");
    expect(".o_sms_ovh_median").toHaveText("4 sec");
    expect(".o_sms_ovh_slowest").toHaveText("90% within 1 min, 35 sec");
    expect(queryAllTexts(".o_sms_ovh_cost")).toEqual([
        "Charged\n1,250 SMS",
        "For each recipient\n1.25 SMS",
    ]);
    expect(".o_sms_ovh_stops").toHaveText("2");
    expect(".o_sms_ovh_replies").toHaveText("1");
    expect(".o_sms_ovh_results table").toHaveCount(0);
    expect(".o_sms_ovh_compare").toHaveCount(0);

    results = makeResults({
        clicks: 100,
        has_links: true,
        cost: 75,
        currency_id: 1,
        median: false,
        slowest_tenth: false,
        ab_test: true,
        countries: [
            {id: 1, name: "France", taken: 900, delivered: 890, credits: 900},
            {id: 2, name: "Suisse", taken: 100, delivered: 95, credits: 350},
        ],
    });
    announce({id: 1});
    await pass(DELAYS.trailing);
    expect(".o_sms_ovh_median").toHaveText("–");
    expect(queryAllTexts(".o_sms_ovh_cost")).toEqual([
        "Charged\n1,250 SMS\n$ 75.00",
        "For each recipient\n1.25 SMS\n$ 0.075",
        "For each click\n12.50 SMS\n$ 0.750",
    ]);
    expect(queryAllTexts("table[data-name='country_id'] tbody tr")).toEqual([
        "France 900 890 900",
        "Suisse 100 95 350",
    ]);
    expect(".o_sms_ovh_compare").toHaveCount(1);
    expect.verifySteps([
        "progress 1",
        "results 1",
        "add sms_ovh.mailing_1",
        "progress 1",
        "results 1",
    ]);
});
