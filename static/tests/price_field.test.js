import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

class SmsOvhAccount extends models.Model {
    _name = "sms.ovh.account";

    credit_price = fields.Float({digits: [16, 5]});

    _records = [
        {id: 1, credit_price: 0},
        {id: 2, credit_price: 0.065},
    ];
}

defineMailModels();
defineModels([SmsOvhAccount]);

describe.current.tags("desktop");

function openAccount(resId, attributes = "") {
    return mountView({
        type: "form",
        resModel: "sms.ovh.account",
        resId,
        arch: `<form ${attributes}>
            <field name="credit_price" widget="sms_ovh_price"/>
        </form>`,
    });
}

test("a price that is not known is not shown as 0 to readers", async () => {
    await openAccount(1, 'edit="0"');
    expect("[name=credit_price]").toHaveText("");
});

test("a price that is known is shown to readers", async () => {
    await openAccount(2, 'edit="0"');
    expect("[name=credit_price]").toHaveText("0.06500");
});

test("a price is typed, and taken away", async () => {
    onRpc("sms.ovh.account", "web_save", ({args}) => {
        expect.step(args[1].credit_price);
    });
    await openAccount(1);
    expect("[name=credit_price] input").toHaveValue("");
    await contains("[name=credit_price] input").edit("0.07");
    expect("[name=credit_price] input").toHaveValue("0.07000");
    await contains(".o_form_button_save").click();
    await contains("[name=credit_price] input").edit("");
    await contains(".o_form_button_save").click();
    expect("[name=credit_price] input").toHaveValue("");
    expect.verifySteps([0.07, 0]);
});
