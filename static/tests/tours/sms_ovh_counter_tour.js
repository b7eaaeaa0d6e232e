import {fill} from "@odoo/hoot-dom";
import {registry} from "@web/core/registry";

const BEFORE =
    "Bonjour, c'est la rentrée à la boutique : 20 % de remise sur les cartables. Venez f";
const AFTER = "êter cela samedi, un café vous attend !";
const line = ".o_sms_ovh_count";

/** Type a text key by key, and check after each that the counter moved. */
async function typeAndCheck(textarea, text, getExpected) {
    textarea.focus();
    for (const key of text) {
        await fill(key, {confirm: false});
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        const found = document.querySelector(line).textContent;
        const expected = getExpected(textarea.value.length);
        if (!found.startsWith(expected)) {
            throw new Error(`${found} after ${textarea.value}, expected ${expected}`);
        }
    }
}

registry.category("web_tour.tours").add("sms_ovh_counter_tour", {
    steps: () => [
        {
            content: "Name the campaign",
            trigger: ".o_field_widget[name=sms_subject] :is(input, textarea)",
            run: "edit Rentrée des clients",
        },
        {
            content: "Nothing written, nothing counted",
            trigger: `${line}:contains(0 / 149 · 0 SMS · GSM-7 · STOP included)`,
        },
        {
            content: "Type a marketing text up to its circumflex",
            trigger: ".o_field_widget[name=body_plaintext] textarea",
            run: ({anchor}) =>
                typeAndCheck(
                    anchor,
                    BEFORE,
                    (length) => `${length} / 149 · 1 SMS · GSM-7 · STOP included`
                ),
        },
        {
            content: "The circumflex makes two SMS of one",
            trigger: ".o_field_widget[name=body_plaintext] textarea",
            run: ({anchor}) =>
                typeAndCheck(
                    anchor,
                    AFTER,
                    (length) => `${length} / 123 · 2 SMS · Unicode · STOP included`
                ),
        },
        {
            content: "The warning names it",
            trigger:
                ".o_sms_ovh_cause:contains(ê — 70 characters per SMS instead of 160)",
        },
        {
            content: "The warning marks it",
            trigger: ".o_sms_ovh_excerpt mark:contains(ê)",
        },
        {
            content: "The warning says what it costs",
            trigger: ".o_sms_ovh_saving:contains(saves 1 SMS: 1 instead of 2)",
        },
        {
            content: "Replace it",
            trigger: ".o_sms_ovh_replace",
            run: "click",
        },
        {
            content: "One SMS again",
            trigger: `${line}:contains(${BEFORE.length + AFTER.length} / 149 · 1 SMS · GSM-7)`,
        },
        {
            content: "Which can be undone",
            trigger: ".o_sms_ovh_undo",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Saved",
            trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible",
        },
    ],
});
