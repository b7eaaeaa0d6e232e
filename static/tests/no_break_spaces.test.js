import {
    defineModels,
    fields,
    models,
    mountView,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {queryOne} from "@odoo/hoot-dom";
import {session} from "@web/session";

class Shop extends models.Model {
    _name = "shop";
    name = fields.Char();
    _records = [{id: 1, name: "Ma Boutique"}];
}
defineMailModels();
defineModels([Shop]);

test("no-break spaces of a view's texts are kept", async () => {
    patchWithCleanup(session, {sms_ovh_company_ids: [1]});
    await mountView({
        type: "form",
        resModel: "shop",
        resId: 1,
        arch: `
            <form>
                <sheet>
                    <p class="o_own">
                        Un nom\u00a0: «\u00a0<strong>Odoo\u00a0!</strong>\u00a0», \`\${1}\` et "l'autre"
                        <field name="name"/>
                    </p>
                </sheet>
            </form>`,
    });
    expect(queryOne(".o_own").textContent.trim()).toMatch(
        /^Un nom\u00a0: «\u00a0Odoo\u00a0!\u00a0», `\$\{1\}` et "l'autre"$/
    );
});

test("without OVHcloud the texts of views are as Odoo makes them", async () => {
    patchWithCleanup(session, {sms_ovh_company_ids: []});
    await mountView({
        type: "form",
        resModel: "shop",
        resId: 1,
        arch: `<form><p class="o_theirs">Un\u00a0nom</p><field name="name"/></form>`,
    });
    expect(queryOne(".o_theirs").textContent).toBe("Un nom");
});
