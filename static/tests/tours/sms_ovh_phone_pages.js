import {rpcBus} from "@web/core/network/rpc";

/**
 * Opens pages one after the other, and measures them as a thumb meets them.
 *
 * `tests/test_phone_pages.py` calls it on a screen as wide as a phone's.
 */

const QUIET = 100;
const PATIENCE = 15000;
const THUMB = 40;
const OURS = "[class*='o_sms_ovh'], .modal:has([class*='o_sms_ovh'])";
const BUTTONS = "button, .btn, summary";

let pending = 0;
let lastTraffic = 0;
rpcBus.addEventListener("RPC:REQUEST", () => pending++);
rpcBus.addEventListener("RPC:RESPONSE", () => {
    pending--;
    lastTraffic = performance.now();
});

async function settle() {
    const start = performance.now();
    const isQuiet = () => !pending && performance.now() - lastTraffic >= QUIET;
    lastTraffic = start;
    do {
        await new Promise((resolve) => setTimeout(resolve, 25));
    } while (!isQuiet() && performance.now() - start < PATIENCE);
}

/** Whether something is pressed that the addon shows, and not Odoo. */
function isOurs(node) {
    return (
        !node.closest(
            ".o_field_widget:not([class*='o_sms_ovh'], :has(.o_sms_ovh_counter))"
        ) &&
        !node.closest(".o_field_input_buttons, .modal-header, .o_statusbar_status") &&
        (node.closest(OURS) || node.name?.includes("sms_ovh"))
    );
}

function describe(node) {
    const name = node.name || node.className;
    return `${name} “${node.textContent.trim().slice(0, 30)}”`;
}

/**
 * @param {Object[]} pages each with its name and the action
 * @returns {Promise<String[]>} what is too wide, or too low
 */
export async function measure(pages) {
    const {action} = odoo.__WOWL_DEBUG__.root.env.services;
    const problems = [];
    for (const page of pages) {
        if (document.querySelector(".modal")) {
            await action.doAction({type: "ir.actions.act_window_close"});
        }
        await action.doAction(page.action, {
            clearBreadcrumbs: page.action.target !== "new",
        });
        const tabs = () =>
            [...document.querySelectorAll(".o_notebook .nav-link")].filter((tab) =>
                tab.checkVisibility()
            );
        for (let index = 0; index < Math.max(1, tabs().length); index++) {
            tabs()[index]?.click();
            await settle();
            const wide = document.documentElement.scrollWidth - window.innerWidth;
            const modal = document.querySelector(".modal-body");
            const inside = modal ? modal.scrollWidth - modal.clientWidth : 0;
            if (wide > 0 || inside > 0) {
                problems.push(`${page.name}: ${Math.max(wide, inside)} px too wide`);
            }
            for (const node of document.querySelectorAll(BUTTONS)) {
                const {height} = node.getBoundingClientRect();
                if (node.checkVisibility() && isOurs(node) && height < THUMB - 0.5) {
                    problems.push(
                        `${page.name}: ${describe(node)} is ${height} px high`
                    );
                }
            }
        }
    }
    return [...new Set(problems)];
}

odoo.smsOvhMeasure = measure;
