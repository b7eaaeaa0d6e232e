import {animationFrame, edit, getFocusableElements, press} from "@odoo/hoot-dom";
import {registry} from "@web/core/registry";

/**
 * The journeys of the other tours, done without a pointer: what is clicked there is
 * reached here by Tab or an arrow, and pressed.
 */

const tours = registry.category("web_tour.tours");
const MOST_KEYS = 500;
const JOURNEYS = [
    "sms_ovh_answer_reply",
    "sms_ovh_connect",
    "sms_ovh_counter_tour",
    "sms_ovh_estimate",
    "sms_ovh_guide_end",
    "sms_ovh_guide_start",
];
const TOGGLES = "input[type='checkbox'], input[type='radio']";

/** Go where Tab leads: past what takes no focus, as in a part that is folded away. */
async function pressTab() {
    const before = document.activeElement;
    await press("Tab");
    if (![before, document.body].includes(document.activeElement)) {
        return;
    }
    const all = getFocusableElements({tabbable: true});
    // After the last one comes the first.
    for (const next of [...all.slice(all.indexOf(before) + 1), ...all]) {
        next.focus();
        if (document.activeElement === next) {
            return;
        }
    }
}

/** Press a key until something is so. */
async function pressUntil(key, isThere, what) {
    for (let keys = 0; keys < MOST_KEYS; keys++) {
        const found = isThere();
        if (found) {
            return found;
        }
        await (key === "Tab" ? pressTab() : press(key));
    }
    throw new Error(`no ${key} leads to ${what.outerHTML.slice(0, 300)}`);
}

/** Have the focus on a node, or in it. */
function reach(node, key = "Tab") {
    return pressUntil(
        key,
        () => node.contains(document.activeElement) && document.activeElement,
        node
    );
}

/** Open a record of a list: from the field of searches, arrows lead into it. */
async function reachRow(cell) {
    const row = cell.closest(".o_data_row");
    if (!document.activeElement.closest(".o_list_renderer")) {
        await reach(document.querySelector(".o_searchview_input"));
    }
    await reach(row, "ArrowDown");
}

async function pressOn(node) {
    const option = node.closest("[role='option']");
    if (option) {
        const input = document.activeElement;
        await pressUntil(
            "ArrowDown",
            () => input.getAttribute("aria-activedescendant") === option.id,
            option
        );
        return press("Enter");
    }
    if (node.closest(".o_data_row")) {
        await reachRow(node);
        return press("Enter");
    }
    const {hotkey} = node.dataset;
    if (hotkey && document.activeElement.closest(".o_searchview")) {
        // Odoo keeps Tab within the field of searches.
        return press(["alt", hotkey]);
    }
    const active = await reach(node);
    if (active.tagName === "SUMMARY") {
        // Which the browser itself opens, for keys of a keyboard only.
        return active.click();
    }
    if (document.querySelector(".o_datetime_picker")) {
        // It opened when the focus passed its field; the first Enter closes it.
        await press("Enter");
        await animationFrame();
    }
    return press(active.matches(TOGGLES) ? " " : "Enter");
}

async function write(node, command) {
    const [text, ...keys] = command.split(" && ");
    await reach(node);
    await edit(text.replace(/^edit /u, ""), {confirm: false});
    for (const key of keys) {
        await press(key === "click body" ? "Tab" : key.replace(/^press /u, ""));
    }
}

function byKeyboard(step) {
    const {run} = step;
    if (run === "click") {
        return {...step, run: ({anchor}) => pressOn(anchor)};
    }
    if (typeof run === "string") {
        return {...step, run: ({anchor}) => write(anchor, run)};
    }
    return step;
}

for (const name of JOURNEYS) {
    tours.add(`${name}_keyboard`, {
        steps: () => tours.get(name).steps().map(byKeyboard),
    });
}
