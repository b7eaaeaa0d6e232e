import {
    LOOK_EVERY,
    SmsOvhEstimateProgress,
} from "@sms_ovh/components/estimate_progress/estimate_progress";
import {
    advanceTime,
    animationFrame,
    beforeEach,
    expect,
    freezeTime,
    queryAllTexts,
    queryText,
    test,
} from "@odoo/hoot";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

const CONTENTS = [
    {},
    {
        sender: "MaBoutique",
        number: "+33612340001",
        parts: ["Bonjour <b>Camille</b>,\nà samedi\nSTOP:36111"],
        segments: 1,
        units: 43,
        encoding: "GSM7",
    },
    {
        sender: "MaBoutique",
        number: "+33612340002",
        parts: ["première", "seconde"],
        segments: 2,
        units: 170,
        encoding: "UNICODE",
        reason: "Landline",
    },
    {sender: "MaBoutique", parts: [], error: "The text fails for Zoé: <i>oh</i>"},
];

class SmsOvhPreview extends models.Model {
    _name = "sms.ovh.preview";

    position = fields.Integer({
        onChange: (record) => {
            record.content = CONTENTS[record.position];
        },
    });
    count = fields.Integer();
    content = fields.Json();

    _records = [{id: 1, position: 1, count: 3, content: CONTENTS[1]}];
}

class SmsOvhMailingSend extends models.Model {
    _name = "sms.ovh.mailing.send";

    state = fields.Char();
    total = fields.Integer();
    treated = fields.Integer();

    _records = [
        {id: 1, state: "running", total: 200, treated: 50},
        {id: 2, state: "done", total: 200, treated: 200},
    ];
}

defineMailModels();
defineModels([SmsOvhPreview, SmsOvhMailingSend]);

async function mountPreview() {
    await mountView({
        type: "form",
        resModel: "sms.ovh.preview",
        resId: 1,
        arch: `<form>
            <field name="position" class="d-none"/>
            <field name="count" invisible="1"/>
            <field name="content" widget="sms_ovh_phone"/>
        </form>`,
    });
}

test("an SMS as a phone shows it", async () => {
    await mountPreview();
    expect(".o_sms_ovh_sender").toHaveText("MaBoutique");
    expect(".o_sms_ovh_position").toHaveText("1 / 3\n+33612340001");
    // What others wrote is a text, whatever is in it.
    expect(queryText(".o_sms_ovh_part")).toBe(CONTENTS[1].parts[0]);
    expect(".o_sms_ovh_part b").toHaveCount(0);
    expect(".o_sms_ovh_end").toHaveCount(0);
    expect(".o_sms_ovh_summary").toHaveText("1 SMS · GSM-7 · Characters: 43");
    expect(".o_sms_ovh_previous").not.toBeEnabled();
});

test("from one recipient to the next", async () => {
    await mountPreview();
    await contains(".o_sms_ovh_next").click();
    expect(".o_sms_ovh_position").toHaveText("2 / 3\n+33612340002");
    expect(queryAllTexts(".o_sms_ovh_part")).toEqual(["première", "seconde"]);
    expect(queryAllTexts(".o_sms_ovh_end")).toEqual([
        "End of SMS 1 of 2",
        "End of SMS 2 of 2",
    ]);
    expect(".o_sms_ovh_reason").toHaveText("Gets nothing: Landline");
    expect(".o_sms_ovh_summary").toHaveText("2 SMS · Unicode · Characters: 170");
    await contains(".o_sms_ovh_next").click();
    expect(".alert-danger").toHaveText("The text fails for Zoé: <i>oh</i>");
    expect(".o_sms_ovh_screen").toHaveCount(0);
    expect(".o_sms_ovh_next").not.toBeEnabled();
    await contains(".o_sms_ovh_previous").click();
    expect(".o_sms_ovh_position").toHaveText("2 / 3\n+33612340002");
});

let looks = [];

beforeEach(() => {
    freezeTime();
    looks = [];
    patchWithCleanup(SmsOvhEstimateProgress.prototype, {
        look() {
            const look = super.look();
            looks.push(look);
            return look;
        },
    });
});

/** Let time pass, and what is looked at by then be shown. */
async function pass(milliseconds) {
    await advanceTime(milliseconds);
    while (looks.length) {
        await Promise.all(looks.splice(0));
        await animationFrame();
    }
}

async function mountProgress(resId) {
    await mountView({
        type: "form",
        resModel: "sms.ovh.mailing.send",
        resId,
        arch: `<form><widget name="sms_ovh_estimate_progress"/></form>`,
    });
}

test("an estimate is followed until it is there", async () => {
    const answers = [{treated: 150}, {treated: 200, state: "done"}];
    let started = false;
    onRpc("sms.ovh.mailing.send", "web_read", async ({parent}) => {
        const [record] = await parent();
        if (!record) {
            return [];
        }
        expect.step("read");
        return [Object.assign(record, started ? answers.shift() : {})];
    });
    await mountProgress(1);
    started = true;
    expect.verifySteps(["read"]);
    expect(".o_sms_ovh_estimate_progress").toHaveText(
        "Recipients looked at: 50 of 200"
    );
    expect(".progress").toHaveAttribute("aria-valuenow", "25");
    await pass(LOOK_EVERY);
    expect.verifySteps(["read"]);
    expect(".progress").toHaveAttribute("aria-valuenow", "75");
    await pass(LOOK_EVERY);
    expect.verifySteps(["read"]);
    expect(".o_sms_ovh_estimate_progress").toHaveCount(0);
    // And no longer.
    await pass(3 * LOOK_EVERY);
    expect.verifySteps([]);
});

test("one that is there is not looked at", async () => {
    onRpc("sms.ovh.mailing.send", "web_read", () => expect.step("read"));
    await mountProgress(2);
    expect.verifySteps(["read"]);
    await pass(3 * LOOK_EVERY);
    expect.verifySteps([]);
    expect(".o_sms_ovh_estimate_progress").toHaveCount(0);
});
