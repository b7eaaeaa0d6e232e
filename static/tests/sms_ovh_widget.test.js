import {
    advanceTime,
    after,
    animationFrame,
    beforeEach,
    expect,
    fill,
    freezeTime,
    press,
    queryAll,
    queryAllTexts,
    queryOne,
    test,
    waitFor,
} from "@odoo/hoot";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";
import {
    getTextAsSent,
    hasPlaceholders,
} from "@sms_ovh/components/sms_counter/text_as_sent";
import {countSegments} from "@sms_ovh/sms_segments";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {findLinks} from "@sms_ovh/links";
import {session} from "@web/session";

const LINK = "https://www.example.com/r/xxxx/s/xxxxx";
const UNSUBSCRIBE = "\nSTOP SMS: https://www.example.com/sms/x/xxx";
// Longer than the pause after which the record takes over what was typed.
const PAUSE = 600;
// Longer than the pause after which what stands around the text follows it.
const SHOWN = 200;
const PROMOTION =
    "Venez découvrir nos nouveautés et fêter la rentrée : 20 % de remise sur tout le magasin.";

/** What the server's computes do, with the same rules. */
function count(body, stopClause) {
    const {encoding, units, segments} = countSegments(body, {stopClause});
    return {sms_encoding: encoding, sms_units: units, sms_segments: segments};
}

class MailingMailing extends models.Model {
    _name = "mailing.mailing";

    body_plaintext = fields.Text({
        onChange: (record) =>
            Object.assign(
                record,
                count(record.body_plaintext, record.sms_ovh_stop_counted)
            ),
    });
    name = fields.Char();
    sms_allow_unsubscribe = fields.Boolean();
    sms_ovh_company_id = fields.Many2one({relation: "res.company"});
    sms_ovh_in_use = fields.Boolean({default: true});
    sms_ovh_last_link = fields.Char();
    sms_ovh_gsm7 = fields.Char();
    sms_ovh_estimate_found = fields.Json();
    sms_ovh_stop_counted = fields.Boolean();
    sms_encoding = fields.Char();
    sms_units = fields.Integer();
    sms_segments = fields.Integer();

    _records = [
        {
            id: 1,
            sms_ovh_company_id: 7,
            sms_ovh_in_use: true,
            sms_ovh_stop_counted: true,
        },
        {id: 2, sms_ovh_in_use: false, body_plaintext: "Bonjour"},
        {
            id: 3,
            sms_ovh_in_use: true,
            sms_ovh_stop_counted: true,
            body_plaintext: PROMOTION,
        },
    ];
}

class SmsComposer extends models.Model {
    _name = "sms.composer";

    body = fields.Text({
        onChange: (record) => Object.assign(record, count(record.body, false)),
    });
    res_model = fields.Char();
    sms_encoding = fields.Char();
    sms_units = fields.Integer();
    sms_segments = fields.Integer();

    _records = [{id: 1, body: "Bonjour", res_model: "res.partner"}];
}

class SmsTemplate extends models.Model {
    _name = "sms.template";

    body = fields.Char({
        trim: true,
        onChange: (record) => Object.assign(record, count(record.body, false)),
    });
    sms_encoding = fields.Char();
    sms_units = fields.Integer();
    sms_segments = fields.Integer();

    _records = [{id: 1, body: "Bonjour"}];
}

defineMailModels();
defineModels([MailingMailing, SmsComposer, SmsTemplate]);

beforeEach(() => {
    freezeTime();
    serverState.companies = [...serverState.companies, {id: 7, name: "Ma Boutique"}];
    patchWithCleanup(session, {sms_ovh_company_ids: [1]});
    onRpc("mailing.mailing", "get_sms_link_replacements_placeholders", ({args}) => {
        expect.step(`placeholders ${args[0]}`);
        return {link: LINK, unsubscribe: UNSUBSCRIBE};
    });
    onRpc("onchange", ({model}) => {
        expect.step(`onchange ${model}`);
    });
    onRpc("web_save", ({args}) => {
        expect.step(`save ${JSON.stringify(args[1])}`);
    });
});

function mountMailing(resId, fieldsArch = "") {
    return mountView({
        type: "form",
        resModel: "mailing.mailing",
        resId,
        arch: `
            <form>
                <field name="name"/>
                <field name="sms_ovh_in_use" invisible="1"/>
                <field name="sms_ovh_stop_counted"/>
                <field name="sms_allow_unsubscribe"/>
                <field name="sms_encoding"/>
                <field name="sms_units"/>
                <field name="sms_segments"/>
                ${fieldsArch}
                <field name="body_plaintext" widget="sms_widget"/>
            </form>`,
    });
}

function mountComposer(resId = 1) {
    return mountView({
        type: "form",
        resModel: "sms.composer",
        resId,
        arch: `
            <form>
                <field name="res_model" invisible="1"/>
                <field name="sms_encoding"/>
                <field name="sms_units"/>
                <field name="sms_segments"/>
                <field name="body" widget="sms_widget"
                    options="{'dynamic_placeholder': true, 'dynamic_placeholder_model_reference_field': 'res_model'}"/>
            </form>`,
    });
}

/** Type a text, one key at a time. */
async function type(text) {
    for (const key of text) {
        await fill(key, {confirm: false});
        await animationFrame();
    }
}

/** Write a text at once, as a paste does. */
async function paste(text) {
    const textarea = queryOne("textarea");
    textarea.value = text;
    textarea.dispatchEvent(new InputEvent("input", {bubbles: true}));
    await animationFrame();
}

const line = ".o_sms_ovh_count";

test("the counter of a campaign follows each key, and no key asks the server", async () => {
    await mountMailing(1);
    expect.verifySteps(["placeholders 1"]);
    expect(line).toHaveText("0 / 149 · 0 SMS · GSM-7 · STOP included");
    expect(".o_sms_count").toHaveCount(0);
    expect("a[href*='iap']").toHaveCount(0);

    await contains("textarea").click();
    let typed = 0;
    for (const key of "Ouvert dimanche") {
        await type(key);
        typed++;
        expect(line).toHaveText(`${typed} / 149 · 1 SMS · GSM-7 · STOP included`);
    }
    await type("€");
    expect(line).toHaveText("17 / 149 · 1 SMS · GSM-7 · STOP included");
    expect.verifySteps([]);

    await advanceTime(PAUSE);
    await animationFrame();
    expect.verifySteps(["onchange mailing.mailing"]);
    expect("[name=sms_units] input").toHaveValue("28");
    expect("[name=sms_segments] input").toHaveValue("1");
    expect("[name=sms_encoding] input").toHaveValue("GSM7");
    expect("textarea").toHaveValue("Ouvert dimanche€");
    await advanceTime(PAUSE);
    expect.verifySteps([]);
});

test("what was typed is saved without waiting, and only once", async () => {
    await mountMailing(1);
    await contains("textarea").click();
    await type("Bonjour");
    await contains(".o_form_button_save").click();
    expect.verifySteps([
        "placeholders 1",
        "onchange mailing.mailing",
        'save {"body_plaintext":"Bonjour","sms_encoding":"GSM7","sms_units":18,"sms_segments":1}',
    ]);
    await advanceTime(PAUSE);
    await animationFrame();
    expect.verifySteps([]);
    expect(".o_form_status_indicator_buttons").toHaveClass("invisible");
});

test("a change that is taken back after a pause is taken back in the record", async () => {
    await mountMailing(3);
    await contains("textarea").click();
    await type("!");
    await advanceTime(PAUSE);
    await animationFrame();
    await press("Backspace");
    await animationFrame();
    await contains("[name=name] input").click();
    await animationFrame();
    expect("textarea").toHaveValue(PROMOTION);
    expect("[name=sms_units] input").toHaveValue(
        String(countSegments(PROMOTION, {stopClause: true}).units)
    );
    expect.verifySteps([
        "placeholders 3",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
    ]);
});

test("what is typed while the server answers stays", async () => {
    await mountMailing(1);
    let answer = null;
    onRpc("mailing.mailing", "onchange", async () => {
        await new Promise((resolve) => (answer = resolve));
    });
    await contains("textarea").click();
    await type("Bon");
    await advanceTime(PAUSE);
    await type("jour");
    await advanceTime(PAUSE);
    answer();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour");
    expect(line).toHaveText("7 / 149 · 1 SMS · GSM-7 · STOP included");
    await advanceTime(PAUSE);
    answer();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour");
    expect("[name=sms_units] input").toHaveValue("18");
    expect.verifySteps([
        "placeholders 1",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
    ]);
});

test("what makes a text Unicode is marked and named, replaced, and brought back", async () => {
    await mountMailing(3);
    const units = PROMOTION.length;
    expect(line).toHaveText(`${units} / ${134 - 11} · 2 SMS · Unicode · STOP included`);
    expect(".o_sms_ovh_cause").toHaveText("ê — 70 characters per SMS instead of 160");
    expect(".o_sms_ovh_excerpt mark").toHaveText("ê");
    expect(".o_sms_ovh_excerpt").toHaveText("… ouveautés et fêter la rentrée …");
    expect(".o_sms_ovh_saving").toHaveText(
        "Replacing them saves 1 SMS: 1 instead of 2."
    );

    queryOne("textarea").setSelectionRange(45, 45);
    await contains(".o_sms_ovh_replace").click();
    await animationFrame();
    await animationFrame();
    const replaced = PROMOTION.replace("ê", "e");
    expect("textarea").toHaveValue(replaced);
    expect(queryOne("textarea").selectionEnd).toBe(45);
    expect(line).toHaveText(`${units} / 149 · 1 SMS · GSM-7 · STOP included`);
    expect(".o_sms_ovh_unicode").toHaveCount(0);
    expect("[name=sms_segments] input").toHaveValue("1");

    expect(".o_sms_ovh_undo").toBeFocused();
    await press("Enter");
    await animationFrame();
    await animationFrame();
    expect("textarea").toHaveValue(PROMOTION);
    expect("[name=sms_segments] input").toHaveValue("2");
    expect(".o_sms_ovh_undo").toHaveCount(0);
    expect(".o_sms_ovh_replace").toBeFocused();

    await press("Enter");
    await animationFrame();
    expect(".o_sms_ovh_undo").toHaveCount(1);
    await contains("textarea").click();
    await type("!");
    expect(".o_sms_ovh_undo").toHaveCount(0);
    await advanceTime(PAUSE);
    expect.verifySteps([
        "placeholders 3",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
    ]);
});

test("what has no equivalent is named, what shows nothing too", async () => {
    await mountComposer();
    await paste("Fête\u202f: 😀\u00a0Ça");
    expect(".o_sms_ovh_cause").toHaveText(
        "ê, narrow no-break space, 😀, no-break space — 70 characters per SMS instead of 160"
    );
    expect(".o_sms_ovh_saving").toHaveText(
        "Without 😀 there is more room. Characters left: 151 instead of 58."
    );
    expect(".o_sms_ovh_replace").toHaveText("Remove them");
    await contains(".o_sms_ovh_replace").click();
    await animationFrame();
    expect("textarea").toHaveValue("Fete : Ça");
    expect(".o_sms_ovh_unicode").toHaveCount(0);
    expect(".o_sms_ovh_undo").toHaveCount(1);
    expect.verifySteps(["onchange sms.composer"]);
});

test("nothing is offered where nothing would be gained", async () => {
    await mountComposer();
    await paste("Bonjour 👨‍👩‍👧‍👦️ à tous 1️⃣ !");
    expect(".o_sms_ovh_replace").toHaveText("Remove them");
    await contains(".o_sms_ovh_replace").click();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour à tous 1 !");
    await paste("Ваш код: “1234”");
    expect(".o_sms_ovh_replace").toHaveCount(0);
    expect(".o_sms_ovh_saving").toHaveText(/^No equivalent for В, а, ш, .*Unicode\.$/);
    await paste("😀".repeat(80));
    expect(".o_sms_ovh_replace").toHaveCount(0);
    await paste("a".repeat(100) + " 😀");
    expect(".o_sms_ovh_saving").toHaveText("Without 😀: 1 SMS instead of 2.");
    // What a link needs is not removed.
    await paste("https://exemple.fr/✓/a 😀");
    expect(".o_sms_ovh_replace").toHaveCount(0);
    expect.verifySteps(["onchange sms.composer"]);
});

test("the browser's own undo takes a replacement back", async () => {
    await mountMailing(3);
    await contains(".o_sms_ovh_replace").click();
    await animationFrame();
    expect("textarea").toHaveValue(PROMOTION.replace("ê", "e"));
    queryOne("textarea").focus();
    document.execCommand("undo");
    await animationFrame();
    expect("textarea").toHaveValue(PROMOTION);
    expect(".o_sms_ovh_undo").toHaveCount(0);
    await advanceTime(PAUSE);
    await animationFrame();
    expect("[name=sms_segments] input").toHaveValue("2");
    expect.verifySteps([
        "placeholders 3",
        "onchange mailing.mailing",
        "onchange mailing.mailing",
    ]);
});

test("no field is offered where numbers have no record", async () => {
    SmsComposer._records.push({id: 2, body: "Bonjour"});
    await mountComposer();
    expect(".o_sms_container > button").toHaveCount(1);
    await mountComposer(2);
    expect(".o_form_view:last .o_sms_ovh_counter").toHaveCount(1);
    expect(".o_form_view:last .o_sms_container > button").toHaveCount(0);
});

test("what was replaced is not taken back in another record, or once it is sent", async () => {
    MailingMailing._records.push({
        id: 4,
        sms_ovh_in_use: true,
        sms_ovh_stop_counted: true,
        body_plaintext: PROMOTION.replace("ê", "e"),
    });
    MailingMailing._records[2].name = "draft";
    await mountView({
        type: "form",
        resModel: "mailing.mailing",
        resId: 3,
        resIds: [3, 4],
        arch: `
            <form>
                <field name="name"/>
                <field name="sms_ovh_in_use" invisible="1"/>
                <field name="sms_ovh_stop_counted" invisible="1"/>
                <field name="sms_encoding" invisible="1"/>
                <field name="sms_units" invisible="1"/>
                <field name="sms_segments" invisible="1"/>
                <field name="body_plaintext" widget="sms_widget" readonly="name == 'sent'"/>
            </form>`,
    });
    await contains(".o_sms_ovh_replace").click();
    await animationFrame();
    expect(".o_sms_ovh_undo").toHaveCount(1);
    await contains("[name=name] input").edit("sent");
    await animationFrame();
    expect(".o_sms_ovh_counter").toHaveCount(1);
    expect("textarea").toHaveCount(0);
    expect(".o_sms_container button").toHaveCount(0);
    await contains("[name=name] input").edit("draft");
    await contains(".o_pager_next").click();
    await animationFrame();
    expect("textarea").toHaveValue(PROMOTION.replace("ê", "e"));
    expect(".o_sms_ovh_undo").toHaveCount(0);
    expect.verifySteps([
        "placeholders 3",
        "onchange mailing.mailing",
        `save {"body_plaintext":"${PROMOTION.replace("ê", "e")}","sms_encoding":"GSM7","sms_units":99,"sms_segments":1,"name":"draft"}`,
        "placeholders 4",
    ]);
});

test("the usual fields of a recipient are put where the cursor is", async () => {
    await mountComposer();
    expect(queryAllTexts(".o_sms_ovh_insert")).toEqual([
        "Full Name",
        "Company",
        "City",
    ]);
    queryOne("textarea").setSelectionRange(7, 7);
    await contains(".o_sms_ovh_insert[data-name='name']").click();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour {{ object.name ||| }}");
    expect.verifySteps(["onchange sms.composer"]);
});

test("what stands for an empty field is written beside the text", async () => {
    await mountComposer();
    expect(".o_sms_ovh_fallback").toHaveCount(0);
    await paste("{{ object.name ||| client }}, {{object.name}} et {{ object.x.y }}");
    await advanceTime(SHOWN);
    expect(queryAllTexts(".o_sms_ovh_fallback strong")).toEqual(["Full Name", "x.y"]);
    expect(".o_sms_ovh_fallback[data-name='name'] input").toHaveValue("client");
    await contains(".o_sms_ovh_fallback[data-name='name'] input").edit("|cher ami");
    await animationFrame();
    expect("textarea").toHaveValue(
        "{{ object.name ||| cher ami}}, {{ object.name ||| cher ami}} et {{ object.x.y }}"
    );
    await contains(".o_sms_ovh_fallback[data-name='name'] input").edit("");
    await animationFrame();
    expect("textarea").toHaveValue(
        "{{ object.name ||| }}, {{ object.name ||| }} et {{ object.x.y }}"
    );
    expect.verifySteps(["onchange sms.composer", "onchange sms.composer"]);
});

test("a field that has no button is called by its name, too", async () => {
    await mountComposer();
    await paste(
        "{{ object.display_name }} {{ object.country_id.code }} {{ object.x }}"
    );
    await advanceTime(SHOWN);
    await waitFor(".o_sms_ovh_fallback strong:contains(Display Name)");
    expect(queryAllTexts(".o_sms_ovh_fallback strong")).toEqual([
        "Display Name",
        "Country › Country Code",
        "x",
    ]);
    // On a phone, the phone beside the text is not shown.
    const shown = queryAll(".o_sms_ovh_beside .o_sms_ovh_field");
    expect(shown.map((field) => field.textContent)).toEqual([
        "Display Name",
        "Country › Country Code",
        "x",
    ]);
});

test("fields are called by their names in a text to one recipient, too", async () => {
    await mountView({
        type: "form",
        resModel: "sms.composer",
        resId: 1,
        arch: `
            <form>
                <field name="res_model" invisible="1"/>
                <field name="body" widget="sms_widget"/>
            </form>`,
    });
    expect(".o_sms_ovh_insert").toHaveCount(0);
    await paste("Bonjour {{ object.display_name }}");
    await advanceTime(SHOWN);
    await waitFor(".o_sms_ovh_fallback strong:contains(Display Name)");
    expect(queryAllTexts(".o_sms_ovh_fallback strong")).toEqual(["Display Name"]);
});

test("a screen reader hears what the text is", async () => {
    await mountComposer();
    expect("textarea").toHaveAttribute("aria-label", "Text of the SMS");
});

test("the phone beside the text shows it as it is sent", async () => {
    await mountMailing(1);
    expect(".o_sms_ovh_beside .o_sms_ovh_bubble").toHaveCount(0);
    await contains("[name=sms_allow_unsubscribe] input").click();
    await paste("Voir https://boutique.example.org {{ object.name ||| ami }} ");
    await advanceTime(SHOWN);
    expect(queryOne(".o_sms_ovh_beside .o_sms_ovh_part").textContent).toBe(
        `Voir ${LINK} name ${UNSUBSCRIBE}\nSTOP:36111`
    );
    expect(queryOne(".o_sms_ovh_beside .o_sms_ovh_field").textContent).toBe("name");
    await contains("[name=sms_allow_unsubscribe] input").click();
    await paste("a".repeat(300));
    await advanceTime(SHOWN);
    const parts = queryAll(".o_sms_ovh_beside .o_sms_ovh_part");
    expect(parts.map((part) => part.textContent)).toEqual([
        "a".repeat(153),
        "a".repeat(147) + "\nSTOP:",
        "36111",
    ]);
    expect(".o_sms_ovh_beside .o_sms_ovh_end").toHaveCount(2);
    expect.verifySteps(["placeholders 1"]);
});

test.tags("mobile");
test("on a phone the counter stays above the keyboard", async () => {
    const own = Object.getOwnPropertyDescriptor(window, "visualViewport");
    const viewport = Object.assign(new EventTarget(), {offsetTop: 0, height: 5000});
    Object.defineProperty(window, "visualViewport", {
        configurable: true,
        get: () => viewport,
    });
    after(() => Object.defineProperty(window, "visualViewport", own));
    await mountMailing(1);
    await contains("textarea").click();
    expect(".o_sms_ovh_above_keyboard").toHaveCount(0);
    const keyboard = (height) => {
        viewport.height = height;
        viewport.dispatchEvent(new Event("resize"));
    };
    keyboard(60);
    expect(".o_sms_ovh_above_keyboard .o_sms_ovh_count").toHaveCount(1);
    expect(queryOne(".o_sms_ovh_above_keyboard").style.bottom).toBe(
        `${window.innerHeight - 60}px`
    );
    keyboard(5000);
    expect(".o_sms_ovh_above_keyboard").toHaveCount(0);
    keyboard(60);
    queryOne("textarea").blur();
    expect(".o_sms_ovh_above_keyboard").toHaveCount(0);
    expect.verifySteps(["placeholders 1"]);
});

test("no phone for who does not send with OVHcloud, nor in lists", async () => {
    await mountMailing(2);
    expect(".o_sms_ovh_beside").toHaveCount(0);
    await mountView({
        type: "list",
        resModel: "sms.composer",
        arch: '<list editable="top"><field name="body" widget="sms_widget"/></list>',
    });
    await contains(".o_data_cell").click();
    expect(".o_sms_ovh_counter").toHaveCount(1);
    expect(".o_sms_ovh_beside").toHaveCount(0);
    expect.verifySteps(["placeholders null"]);
});

test("the figures explain themselves, and the text has its own direction", async () => {
    await mountMailing(1);
    expect("textarea").toHaveAttribute("dir", "auto");
    expect(".o_sms_ovh_explain").toHaveAttribute("data-tooltip", /takes 11 characters/);
    expect(".o_sms_ovh_counter .visually-hidden:first").toHaveText(
        /takes 11 characters/
    );
    expect(line).toHaveAttribute("title", /160 characters an SMS/);
    expect.verifySteps(["placeholders 1"]);
});

test("links and the opt-out link of a campaign count as they are sent", async () => {
    await mountMailing(1);
    await paste("Voir https://boutique.example.org/rentrée?de=é&a={{ object.id }}");
    const sent = `Voir ${LINK}`;
    expect(line).toHaveText(
        `${sent.length} / 149 · 1 SMS · GSM-7 · STOP included · ` +
            "links counted as shortened · placeholders counted as written"
    );
    await contains("[name=sms_allow_unsubscribe] input").click();
    expect(line).toHaveText(
        `${sent.length + UNSUBSCRIBE.length} / 149 · 1 SMS · GSM-7 · STOP included · ` +
            "links counted as shortened · opt-out link included · " +
            "placeholders counted as written"
    );
    expect.verifySteps(["placeholders 1"]);
});

test("a range says that links grow longer while a campaign is sent", async () => {
    MailingMailing._records[0].sms_ovh_last_link = `${LINK}x`;
    await mountMailing(1, '<field name="sms_ovh_last_link" invisible="1"/>');
    const length = 149 - LINK.length - 1;
    await paste(`${"a".repeat(length)} https://boutique.example.org/chaise,bleue`);
    expect(line).toHaveText(
        "149 / 149 · 1 to 2 SMS · GSM-7 · STOP included · links counted as shortened" +
            " · links are longer for the last recipients"
    );
    await paste(`${"a".repeat(length - 1)} https://boutique.example.org/chaise,bleue`);
    expect(line).toHaveText(
        "148 / 149 · 1 SMS · GSM-7 · STOP included · links counted as shortened"
    );
    expect.verifySteps(["placeholders 1"]);
});

test("the counter counts what is written in GSM-7 as it is sent", async () => {
    MailingMailing._records[0].sms_ovh_gsm7 = "all";
    await mountMailing(1, '<field name="sms_ovh_gsm7"/>');
    await paste(`${PROMOTION} Voir https://boutique.example.org/été`);
    expect(line).toHaveText(
        `${PROMOTION.length + 6 + LINK.length} / 149 · 1 SMS · GSM-7 for every recipient` +
            " · STOP included · links counted as shortened"
    );
    expect(".o_sms_ovh_written").toHaveText("Written in GSM-7 as it is sent: ê → e");
    expect(".o_sms_ovh_unicode").toHaveCount(0);
    // Somebody's name may have what GSM-7 has no equivalent for.
    await paste(`Fête {{ object.name }}`);
    expect(line).toHaveText(
        "26 / 149 · about 1 SMS · GSM-7 · STOP included · placeholders counted as written"
    );
    // Only what becomes GSM-7 is changed.
    await paste("Fête 🎉");
    expect(line).toHaveText("7 / 59 · 1 SMS · Unicode · STOP included");
    expect(".o_sms_ovh_written").toHaveCount(0);
    await contains("[name=sms_ovh_gsm7] input").edit("placeholders");
    await paste("Fete");
    expect(line).toHaveText(
        "4 / 149 · 1 SMS · GSM-7 for every recipient · STOP included"
    );
    await paste("Fête");
    expect(line).toHaveText("4 / 59 · 1 SMS · Unicode · STOP included");
    expect(".o_sms_ovh_replace").toHaveCount(1);
    await paste("Voir https://boutique.example.org/{{ object.id }}");
    expect(line).toHaveText(
        `${LINK.length + 5} / 149 · 1 SMS · GSM-7 for every recipient · STOP included` +
            " · links counted as shortened · placeholders counted as written"
    );
    expect.verifySteps(["placeholders 1"]);
});

test("the counter says what the estimate found, until the text changes", async () => {
    const body = "Bonjour {{ object.name }}";
    const [record] = MailingMailing._records;
    Object.assign(record, {
        body_plaintext: body,
        sms_ovh_estimate_found: {gsm7: true, least: 1, most: 1},
    });
    await mountMailing(1, '<field name="sms_ovh_estimate_found" invisible="1"/>');
    // Each brace takes two.
    const size = `${body.length + 4} / 149`;
    expect(line).toHaveText(
        `${size} · 1 SMS · GSM-7 for every recipient · STOP included · as estimated`
    );
    await paste(`${body}!`);
    expect(line).toHaveText(
        `${body.length + 5} / 149 · about 1 SMS · GSM-7 · STOP included` +
            " · placeholders counted as written"
    );
    expect.verifySteps(["placeholders 1"]);
});

test("the counter gives the range that the estimate found", async () => {
    const body = "Bonjour {{ object.name }}";
    const [record] = MailingMailing._records;
    Object.assign(record, {
        body_plaintext: body,
        sms_ovh_estimate_found: {gsm7: false, least: 1, most: 3},
    });
    await mountMailing(1, '<field name="sms_ovh_estimate_found" invisible="1"/>');
    expect(line).toHaveText(
        `${body.length + 4} / 149 · 1 to 3 SMS · GSM-7 · STOP included · as estimated`
    );
    expect.verifySteps(["placeholders 1"]);
});

test("a text of which nobody could read anything is none", async () => {
    await mountMailing(1);
    for (const text of ["\u200b", "\u2060", "\u00ad", "\u200b\u00ad \ufeff"]) {
        await paste(text);
        expect(line).toHaveText("0 / 149 · 0 SMS · GSM-7 · STOP included");
        expect(".o_sms_ovh_unicode").toHaveCount(0);
    }
    await paste("\u200ba");
    expect(line).toHaveText("2 / 59 · 1 SMS · Unicode · STOP included");
    expect.verifySteps(["placeholders 1"]);
});

test("the opt-out link of a new campaign is counted again once it has an id", async () => {
    await mountMailing();
    await contains("[name=sms_allow_unsubscribe] input").click();
    await contains("textarea").click();
    await type("a");
    expect(line).toHaveText(
        `${UNSUBSCRIBE.length + 1} / 160 · 1 SMS · GSM-7 · opt-out link included`
    );
    expect.verifySteps(["onchange mailing.mailing", "placeholders false"]);
    onRpc("mailing.mailing", "get_sms_link_replacements_placeholders", () => ({
        link: LINK,
        unsubscribe: `${UNSUBSCRIBE}xx`,
    }));
    await contains(".o_form_button_save").click();
    await animationFrame();
    await animationFrame();
    expect(line).toHaveText(
        `${UNSUBSCRIBE.length + 3} / 160 · 1 SMS · GSM-7 · opt-out link included`
    );
    expect.verifySteps([
        "onchange mailing.mailing",
        'save {"name":false,"sms_ovh_in_use":true,"sms_ovh_stop_counted":false,"sms_allow_unsubscribe":true,"sms_encoding":"GSM7","sms_units":1,"sms_segments":1,"body_plaintext":"a"}',
    ]);
});

test("the company of the campaign decides", async () => {
    patchWithCleanup(session, {sms_ovh_company_ids: [7]});
    await mountView({
        type: "form",
        resModel: "mailing.mailing",
        resId: 1,
        arch: `
            <form>
                <field name="sms_ovh_company_id"/>
                <field name="body_plaintext" widget="sms_widget"/>
            </form>`,
    });
    expect(".o_sms_ovh_counter").toHaveCount(1);
    expect.verifySteps(["placeholders 1"]);
});

test("the end of a part is announced quietly, and a text too long loudly", async () => {
    await mountComposer();
    await paste("a".repeat(143));
    expect(".o_sms_ovh_near_end").toHaveCount(0);
    await paste("a".repeat(144));
    expect(line).toHaveText("144 / 160 · 1 SMS · GSM-7");
    expect(".o_sms_ovh_near_end").toHaveText("Characters left before 2 SMS: 16");
    await paste("a".repeat(160));
    expect(line).toHaveText("160 / 160 · 1 SMS · GSM-7");
    expect(".o_sms_ovh_near_end").toHaveText("Characters left before 2 SMS: 0");
    await paste("a".repeat(161));
    expect(line).toHaveText("161 / 306 · 2 SMS · GSM-7");
    expect(".o_sms_ovh_near_end").toHaveCount(0);
    await paste("a".repeat(918));
    expect(line).toHaveText("918 / 918 · 6 SMS · GSM-7");
    expect(".o_sms_ovh_near_end").toHaveText("Characters left before the limit: 0");
    expect(".o_sms_ovh_too_long").toHaveCount(0);
    await paste("a".repeat(919));
    expect(line).toHaveText("919 / 1071 · 7 SMS · GSM-7");
    expect(line).toHaveClass("text-danger");
    expect(".o_sms_ovh_too_long").toHaveText(
        "Too long: OVHcloud sends at most 6 SMS at a time, that is 918 characters, or 402 in Unicode."
    );
});

test("a screen reader hears of another number of SMS or encoding, not of each key", async () => {
    await mountComposer();
    expect(".o_sms_ovh_live").toHaveAttribute("aria-live", "polite");
    expect(queryOne("textarea").getAttribute("aria-describedby")).toBe(
        queryOne(line).parentElement.id
    );
    await contains("textarea").click();
    await type("!");
    await advanceTime(2000);
    await animationFrame();
    expect(".o_sms_ovh_live").toHaveText("");
    await type("ê");
    expect(".o_sms_ovh_live").toHaveText("");
    await advanceTime(2000);
    await animationFrame();
    expect(".o_sms_ovh_live").toHaveText(
        "1 SMS, Unicode. ê — 70 characters per SMS instead of 160."
    );
    await paste("a".repeat(200));
    await advanceTime(2000);
    await animationFrame();
    expect(".o_sms_ovh_live").toHaveText("2 SMS, GSM-7.");
    expect.verifySteps([
        "onchange sms.composer",
        "onchange sms.composer",
        "onchange sms.composer",
    ]);
});

test("an emptied text, a field without value and Insert Field", async () => {
    await mountComposer();
    expect("button:contains(Insert Field)").toHaveCount(1);
    expect(line).toHaveText("7 / 160 · 1 SMS · GSM-7");
    await paste("");
    expect(line).toHaveText("0 / 160 · 0 SMS · GSM-7");
    expect(".o_sms_ovh_near_end").toHaveCount(0);
});

test("a text that loses its last space keeps it while it is typed", async () => {
    await mountView({
        type: "form",
        resModel: "sms.template",
        resId: 1,
        arch: `
            <form>
                <field name="sms_units"/>
                <field name="body" widget="sms_widget"/>
            </form>`,
    });
    await contains("textarea").click();
    await type(" ");
    await advanceTime(PAUSE);
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour ");
    expect(line).toHaveText("8 / 160 · 1 SMS · GSM-7");
    expect("[name=sms_units] input").toHaveValue("8");
    await contains("[name=sms_units] input").click();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour");
    expect(line).toHaveText("7 / 160 · 1 SMS · GSM-7");
    expect("[name=sms_units] input").toHaveValue("7");
    await contains("textarea").click();
    await type(" ");
    await contains(".o_form_button_save").click();
    await animationFrame();
    expect("textarea").toHaveValue("Bonjour");
    expect.verifySteps([
        "onchange sms.template",
        "onchange sms.template",
        'save {"body":"Bonjour","sms_units":7}',
    ]);
});

test("a campaign that was sent shows its figures", async () => {
    await mountView({
        type: "form",
        resModel: "mailing.mailing",
        resId: 3,
        arch: `
            <form>
                <field name="sms_ovh_in_use" invisible="1"/>
                <field name="sms_ovh_stop_counted" invisible="1"/>
                <field name="body_plaintext" widget="sms_widget" readonly="1"/>
            </form>`,
    });
    expect(line).toHaveText(
        `${PROMOTION.length} / 123 · 2 SMS · Unicode · STOP included`
    );
    expect(line).toHaveCount(1);
    expect(".o_sms_ovh_replace").toHaveCount(0);
    expect.verifySteps(["placeholders 3"]);
});

test("links are read as the server reads them", () => {
    // `TestTextAsSent` of `tests/test_counter.py` has the same cases.
    const placeholders = {link: LINK, unsubscribe: "\nSTOP"};
    for (const [text, expected] of [
        [undefined, ""],
        [null, ""],
        [false, ""],
        ["", ""],
        ["Bonjour", "Bonjour"],
        ["a https://b.fr/c?d=é, e", `a ${LINK}, e`],
        ["https://é.fr/à.", `${LINK}.`],
        ["HTTPS://b.fr/a,b", LINK],
        ["www.b.fr", LINK],
        ["https://b.fr/{{ object.id }}/c d", `${LINK} d`],
        ["https://b.fr?{{ object.id }}&a=\u2028b", `${LINK}\u2028b`],
        ["https://b.fr?a=\ufeffb\x1cc", `${LINK}\ufeffb\x1cc`],
        ["https://www.example.com/sms/1/abc", "https://www.example.com/sms/1/abc"],
        ["https://www.example.com/r/abc.", "https://www.example.com/r/abc/s/xxxxx."],
        ["https://www.example.com/r/abc/s/5", "https://www.example.com/r/abc/s/5"],
    ]) {
        expect(getTextAsSent(text, placeholders)).toBe(expected);
        expect(getTextAsSent(text, null)).toBe(text || "");
    }
    for (const text of [" \n", "\u200b", "\u2060\xad", "\u3164\ufeff\ufe0f"]) {
        expect(getTextAsSent(text, placeholders, true)).toBe("");
        expect(getTextAsSent(text, null)).toBe("");
    }
    for (const [text, expected] of [
        ["Fête https://b.fr/ê", `Fete ${LINK}`],
        ["Fête {{ object.name }}", "Fete {{ object.name }}"],
        ["Fête 🎉", "Fête 🎉"],
    ]) {
        expect(getTextAsSent(text, placeholders, false, "all")).toBe(expected);
        expect(getTextAsSent(text, null, false, "off")).toBe(text);
    }
    // A link that is sent as it is makes the SMS Unicode all the same.
    expect(getTextAsSent("Fête https://b.fr/ê", null, false, "all")).toBe(
        "Fête https://b.fr/ê"
    );
    expect(getTextAsSent("a", placeholders, true)).toBe("a\nSTOP");
    expect(getTextAsSent("", placeholders, true)).toBe("");
});

test("no text takes long", () => {
    const placeholders = {link: LINK, unsubscribe: UNSUBSCRIBE};
    for (const piece of ["{{", "{{ ", "{{a", "https://a?{{", "{{\n"]) {
        const text = piece.repeat(25000);
        const start = performance.now();
        getTextAsSent(text, placeholders, true);
        findLinks(text);
        hasPlaceholders(text);
        expect(performance.now() - start).toBeLessThan(1000);
    }
});

test("Odoo's own counter is left to the companies that do not use OVHcloud", async () => {
    await mountMailing(2);
    expect(".o_sms_ovh_counter").toHaveCount(0);
    expect(".o_sms_count").toHaveCount(1);
    await contains("textarea").click();
    await type("!");
    await advanceTime(PAUSE);
    expect.verifySteps(["placeholders null"]);
});

test("elsewhere the active company decides", async () => {
    patchWithCleanup(session, {sms_ovh_company_ids: [2]});
    await mountComposer();
    expect(".o_sms_ovh_counter").toHaveCount(0);
    expect(".o_sms_count").toHaveCount(1);
});
