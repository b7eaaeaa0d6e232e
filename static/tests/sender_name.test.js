import {describe, expect, test} from "@odoo/hoot";
import {allowTranslations} from "@web/../tests/web_test_helpers";
import {getSenderMistake} from "@sms_ovh/components/sender_name/sender_name";

describe.current.tags("headless");

test("names that can be senders", () => {
    for (const name of [
        "",
        "A",
        "MaBoutique",
        "Boutique123",
        "3Suisses",
        "ABCDEFGHIJK",
    ]) {
        expect(getSenderMistake(name)).toBe("");
    }
});

test("names that cannot be senders", () => {
    allowTranslations();
    for (const [name, words] of [
        ["Café", "é"],
        ["Ma Boutique", "spaces"],
        ["Ma-Boutique", "-"],
        ["ABCDEFGHIJKL", "Too long by 1"],
        ["0612345678", "digits only"],
        ["１２３", "１"],
        ["Boutique🎉", "🎉"],
    ]) {
        expect(getSenderMistake(name)).toInclude(words);
    }
});
