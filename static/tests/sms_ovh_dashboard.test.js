import {animationFrame, mockDate} from "@odoo/hoot-mock";
import {beforeEach, describe, expect, queryAllTexts, test} from "@odoo/hoot";
import {
    contains,
    defineModels,
    fields,
    getService,
    models,
    mountWithCleanup,
    onRpc,
    preloadBundle,
} from "@web/../tests/web_test_helpers";
import {WebClient} from "@web/webclient/webclient";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

preloadBundle("web.chartjs_lib");

class SmsOvhAccount extends models.Model {
    _name = "sms.ovh.account";

    name = fields.Char();
}

class SmsOvhLog extends models.Model {
    _name = "sms.ovh.log";

    number = fields.Char();

    _records = [{id: 1, number: "+33612340001"}];
    _views = {
        list: `<list><field name="number"/></list>`,
        search: `<search/>`,
    };
}

defineMailModels();
defineModels([SmsOvhAccount, SmsOvhLog]);

const LOG_ACTION = {
    type: "ir.actions.act_window",
    name: "SMS of the tile",
    res_model: "sms.ovh.log",
    domain: [["number", "!=", false]],
    views: [[false, "list"]],
};

function makeAccount(id, values = {}) {
    return {
        id,
        name: `sms-ab12345-${id}`,
        service_name: `sms-ab12345-${id}`,
        company: "Ma Boutique",
        state: "connected",
        state_message: "",
        pause_message: false,
        used: true,
        auth_method: "consumer_key",
        can_write: true,
        can_connect: true,
        price: 0,
        currency_id: 1,
        last_sync: "2026-11-22 11:00:00",
        credits_left: 1632.5,
        credits_held: 500,
        recharge: {amount: 1000, threshold: 100},
        action: LOG_ACTION,
        ...values,
    };
}

const WISHES = ["campaign", "numbers", "sms", "replies", "buy", "sender", "user"].map(
    (name) => ({name, action: LOG_ACTION})
);

const PACKS = {
    credits: 100,
    price: 6.9,
    large_credits: 100000,
    large_credit_price: 0.0483,
    currency_id: 1,
};

function makeData(values = {}) {
    return {
        accounts: [makeAccount(1)],
        account_id: false,
        senders: [{id: 7, name: "MaBoutique"}],
        sender_id: false,
        create_action: false,
        steps: [],
        wishes: WISHES,
        month: "2026-11-01",
        tiles: {
            sent: {value: 1234, delivered: 1200, action: LOG_ACTION},
            received: {value: 3, action: LOG_ACTION},
            planned: {value: 20, campaigns: 2, action: LOG_ACTION},
            failed: {value: 12, refused: 5, action: LOG_ACTION},
            credits: {value: 1300.5, action: LOG_ACTION},
        },
        days: ["2026-11-21", "2026-11-22"].map((day, index) => ({
            day,
            pending: 1,
            delivered: 10 + index,
            failed: 2,
            refused: 0,
            credits: 14.5,
        })),
        attention: [],
        attention_action: LOG_ACTION,
        queue: {
            queued: {jobs: 0, sms: 0},
            posting: {jobs: 0, sms: 0},
            unknown: {jobs: 0, sms: 0},
            action: false,
        },
        ...values,
    };
}

function serve(getData) {
    onRpc("sms.ovh.dashboard", "get_figures", ({kwargs}) => {
        expect.step([kwargs.account_id, kwargs.sender_id]);
        return getData(kwargs);
    });
}

async function open(params) {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "sms_ovh.dashboard",
        params,
    });
    await animationFrame();
}

describe.current.tags("desktop");

beforeEach(() => mockDate("2026-11-22 12:00:00", 0));

test("figures, chart and its table", async () => {
    serve(() => makeData());
    await open();
    expect.verifySteps([[false, false]]);
    expect(".o_sms_ovh_left").toHaveText("1,632.50");
    expect(".o_sms_ovh_held").toHaveText("500");
    expect(".o_sms_ovh_recharge").toHaveText("1,000 SMS below 100");
    expect(".o_sms_ovh_sync").toHaveText("1 hour ago");
    expect(".o_sms_ovh_month").toHaveText("November 2026");
    expect(queryAllTexts(".o_sms_ovh_value")).toEqual([
        "1,234",
        "3",
        "20",
        "12",
        "1,300.50",
    ]);
    expect(".o_sms_ovh_chart canvas").toHaveCount(1);
    expect(".o_sms_ovh_chart canvas").toHaveAttribute(
        "aria-label",
        /delivered: 21, on the way: 2, failed: 4, refused: 0; credits charged: 29/
    );
    expect(".o_sms_ovh_account_filter").toHaveCount(0);
    await contains(".o_sms_ovh_dashboard summary").click();
    expect(queryAllTexts(".o_sms_ovh_table tbody tr:first-child > *")).toEqual([
        "Nov 22",
        "11",
        "1",
        "2",
        "0",
        "14.50",
    ]);
});

test("a tile opens its list, and coming back keeps what was chosen", async () => {
    serve(({sender_id}) => makeData({sender_id}));
    onRpc("sms.ovh.log", "web_search_read", ({kwargs}) => {
        expect.step(kwargs.domain);
    });
    await open();
    await contains(".o_sms_ovh_sender_filter").select("7");
    expect.verifySteps([
        [false, false],
        [false, 7],
    ]);
    await contains(".o_sms_ovh_tile[data-name='failed']").click();
    expect(".o_list_view .o_data_row").toHaveCount(1);
    expect.verifySteps([LOG_ACTION.domain]);
    await contains(".breadcrumb-item a, .o_back_button").click();
    expect(".o_sms_ovh_sender_filter").toHaveValue("7");
    expect.verifySteps([[false, 7]]);
});

test("one account, then all", async () => {
    serve(({account_id}) =>
        makeData({account_id, accounts: [makeAccount(1), makeAccount(2)]})
    );
    await open({account_id: 2});
    expect(".o_sms_ovh_account").toHaveCount(1);
    expect(".o_sms_ovh_account_filter").toHaveValue("2");
    await contains(".o_sms_ovh_account_filter").select("");
    expect(".o_sms_ovh_account").toHaveCount(2);
    expect.verifySteps([
        [2, false],
        [false, false],
    ]);
});

test("refreshing reads the account from OVHcloud", async () => {
    let account = makeAccount(1);
    serve(() => makeData({accounts: [account]}));
    onRpc("sms.ovh.account", "action_synchronise", ({args}) => {
        expect.step(args[0]);
        account = makeAccount(1, {credits_left: 42, recharge: false});
        return true;
    });
    await open();
    await contains(".o_sms_ovh_refresh").click();
    expect(".o_sms_ovh_left").toHaveText("42");
    expect(".o_sms_ovh_recharge").toHaveText("Switched Off");
    expect(".o_notification").toHaveCount(1);
    expect.verifySteps([[false, false], [1], [false, false]]);
});

test("what asks for attention", async () => {
    serve(() =>
        makeData({
            accounts: [
                makeAccount(1, {
                    state: "error",
                    state_message: "OVHcloud cannot be reached.",
                    pause_message: "No SMS left.",
                }),
            ],
            attention: [
                {id: 1, name: "Nouveau", status: "waitingValidation", comment: ""},
                {id: 2, name: "Refuse", status: "refused", comment: "Not yours."},
            ],
            queue: {
                queued: {jobs: 2, sms: 37},
                posting: {jobs: 0, sms: 0},
                unknown: {jobs: 1, sms: 3},
                action: LOG_ACTION,
            },
        })
    );
    await open();
    expect.verifySteps([[false, false]]);
    expect(queryAllTexts(".o_sms_ovh_account .alert")).toEqual([
        "OVHcloud cannot be reached.\nTry again",
        "Sending is stopped and SMS wait: No SMS left.",
    ]);
    expect(queryAllTexts(".o_sms_ovh_senders .badge")).toEqual([
        "Waiting for Validation",
        "Refused",
    ]);
    expect(".o_sms_ovh_senders").toHaveText(/Not yours\./);
    expect(queryAllTexts(".o_sms_ovh_queue dd")).toEqual(["37 SMS", "3 SMS"]);
});

for (const [name, packs, prices] of [
    [
        "the price of packs stands under the wish to buy SMS",
        PACKS,
        ["100 SMS: $ 6.90", "from 100,000 SMS: $ 0.0483 each"],
    ],
    [
        "packs that cost the same by SMS have one price",
        {...PACKS, large_credits: 100, large_credit_price: 0.069},
        ["100 SMS: $ 6.90"],
    ],
    ["packs whose price is not known have none", false, []],
]) {
    test(name, async () => {
        const wishes = [...WISHES];
        wishes[4] = {...WISHES[4], packs};
        serve(() => makeData({wishes}));
        await open();
        expect.verifySteps([[false, false]]);
        const buy = ".o_sms_ovh_wish[data-name='buy']";
        expect(buy).toHaveCount(1);
        expect(queryAllTexts(`${buy} .o_sms_ovh_price`)).toEqual(prices);
        expect(".o_sms_ovh_price").toHaveCount(prices.length);
    });
}

test("without any account it says what to do", async () => {
    serve(() => makeData({accounts: [], create_action: LOG_ACTION}));
    await open();
    expect(".o_sms_ovh_tile").toHaveCount(0);
    await contains(".o_sms_ovh_connect").click();
    expect(".o_list_view").toHaveCount(1);
    expect.verifySteps([[false, false]]);
});

test("a connection that does not work is said, and never called read", async () => {
    const account = makeAccount(1);
    serve(() => makeData({accounts: [account]}));
    onRpc("sms.ovh.account", "action_synchronise", () => true);
    onRpc("sms.ovh.account", "action_connect", ({args}) => {
        expect.step(["connect", args[0]]);
        return false;
    });
    await open();
    expect(".o_sms_ovh_notice").toHaveCount(0);
    for (const [state, kind] of [
        ["refused", "danger"],
        ["expired", "danger"],
        ["pending", "warning"],
    ]) {
        Object.assign(account, {state, state_message: `${state}!`});
        await contains(".o_sms_ovh_refresh").click();
        expect(`.o_sms_ovh_notice.alert-${kind}`).toHaveText(
            `${state}!\nConnect with OVHcloud again`
        );
        expect(".o_notification_bar.bg-success").toHaveCount(0);
        expect(`.o_notification:contains(${state}!)`).toHaveCount(1);
        await contains(".o_sms_ovh_cure").click();
    }
    expect.verifySteps([
        [false, false],
        [false, false],
        ["connect", [1]],
        [false, false],
        ["connect", [1]],
        [false, false],
        ["connect", [1]],
    ]);
});

test("who may change nothing is told whom to ask", async () => {
    serve(() =>
        makeData({
            accounts: [
                makeAccount(1, {
                    state: "refused",
                    state_message: "",
                    can_write: false,
                    can_connect: false,
                }),
            ],
        })
    );
    await open();
    expect(".o_sms_ovh_notice").toHaveText(
        "OVHcloud refuses this account's keys. Ask an administrator of OVHcloud SMS to look at it."
    );
    expect(".o_sms_ovh_cure").toHaveCount(0);
    expect.verifySteps([[false, false]]);
});

test("what users come for is one click away", async () => {
    serve(() => makeData({create_action: LOG_ACTION}));
    await open();
    expect(queryAllTexts(".o_sms_ovh_wish")).toEqual([
        "Send an SMS",
        "Write a campaign",
        "See the Replies",
        "Buy SMS at OVHcloud",
        "Request a Sender",
        "Create an API user",
        "Clean the numbers of a list",
        "Connect an Account",
    ]);
    await contains(".o_sms_ovh_wish[data-name='replies']").click();
    expect(".o_list_view").toHaveCount(1);
    expect.verifySteps([[false, false]]);
});

test("a new account says what to do next instead of showing zeros", async () => {
    serve(() => makeData({steps: ["sender", "send"]}));
    await open();
    expect(".o_sms_ovh_tile").toHaveCount(0);
    expect(".o_sms_ovh_chart").toHaveCount(0);
    expect(queryAllTexts(".o_sms_ovh_steps li strong")).toEqual([
        "Have a sender enabled",
        "Send your first SMS",
    ]);
    expect(".o_sms_ovh_step").toHaveCount(1);
    expect(".o_sms_ovh_step").toHaveText("Request a Sender");
    expect.verifySteps([[false, false]]);
});
