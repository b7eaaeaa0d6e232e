import {rpc, rpcBus} from "@web/core/network/rpc";
import {loadJS} from "@web/core/assets";

/**
 * Opens pages one after the other, and looks at them as their users have to.
 *
 * `tests/test_pages.py` calls it, at the width of a desktop and of a phone.
 */

const QUIET = 100;
const PATIENCE = 15000;
const THUMB = 40;
const OURS = "[class*='o_sms_ovh'], .modal:has([class*='o_sms_ovh'])";
const BUTTONS = "button, .btn, summary";
// What of a page is Odoo's, whoever's view it shows, and has no part of ours in it.
const FRAME = [".o_cp_searchview", ".o_cp_switch_buttons", ".o-mail-Form-chatter"];
// About a page as a whole, of which Odoo makes the frame.
const FRAME_RULES = [
    "aria-dialog-name",
    "landmark-main-is-top-level",
    "landmark-no-duplicate-banner",
    "landmark-no-duplicate-main",
    "landmark-unique",
    "page-has-heading-one",
    "region",
];
// What Odoo's own views, fields and buttons make, whatever is shown in them.
const ODOO = [
    ["aria-allowed-attr", ".o-autocomplete--input, .o-dropdown, .o_progress, .o_tag"],
    ["aria-allowed-role", ".o_kanban_record"],
    ["aria-required-parent", ".o_notebook_headers .nav-link"],
    ["autocomplete-valid", ".o_select_menu_toggler"],
    [
        "button-name",
        ".o-dropdown, .o_clipboard_button, .o_control_panel_navigation > .btn," +
            "[name='action_view_mailing_contacts']",
    ],
    [
        "color-contrast",
        ".badge, .modal p.text-muted, .o_form_label, .o_pivot th, .o_td_label *",
    ],
    ["empty-table-header", "th"],
    ["heading-order", ".modal-title"],
    [
        "image-alt",
        ".o_field_many2one_avatar_user img, .o_many2one_avatar_user_cell img",
    ],
    [
        "label",
        ".o_data_row .form-check-input, .o_list_record_selector .form-check-input",
    ],
    ["scrollable-region-focusable", ".o_pivot"],
];

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

/** Find what a thumb does not meet, and what is wider than the screen. */
function findTooSmall() {
    const problems = [];
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const modal = document.querySelector(".modal-body");
    const inside = modal ? modal.scrollWidth - modal.clientWidth : 0;
    if (wide > 0 || inside > 0) {
        problems.push(`${Math.max(wide, inside)} px too wide`);
    }
    for (const node of document.querySelectorAll(BUTTONS)) {
        const {height} = node.getBoundingClientRect();
        if (node.checkVisibility() && isOurs(node) && height < THUMB - 0.5) {
            problems.push(`${describe(node)} is ${height} px high`);
        }
    }
    return problems;
}

/**
 * Find what is written into a line that is too short to show it.
 *
 * Of lists also their name and those of columns: phones show cards instead.
 */
function findCut(isPhone) {
    const lines = ".o_sms_ovh_form :is(input:not([type]), input[type='text'])";
    const names =
        ":is(.o_sms_ovh_list .o_last_breadcrumb_item," +
        " :is(.o_sms_ovh_form, .o_sms_ovh_list) thead) .text-truncate";
    return [...document.querySelectorAll(isPhone ? lines : `${lines}, ${names}`)]
        .filter((node) => node.checkVisibility() && node.scrollWidth > node.clientWidth)
        .map((node) => `“${node.value || node.textContent}” is cut`);
}

/** Find what keeps somebody out who sees, hears or moves in another way. */
async function findBarriers(within) {
    const {violations} = await window.axe.run(
        {include: [within], exclude: FRAME},
        {
            elementRef: true,
            // What is on this screen is all that is looked at.
            preload: false,
            resultTypes: ["violations"],
            rules: Object.fromEntries(FRAME_RULES.map((id) => [id, {enabled: false}])),
        }
    );
    return violations.flatMap(({id, nodes}) =>
        nodes
            .filter(
                ({element}) =>
                    !ODOO.some(
                        ([rule, selector]) => rule === id && element.matches(selector)
                    )
            )
            .map(({html, failureSummary}) => `${id}: ${html}\n${failureSummary}`)
    );
}

/** Return what is written, piece by piece. */
function readWords(within) {
    const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    const words = new Set();
    while (walker.nextNode()) {
        const {parentElement, textContent} = walker.currentNode;
        if (
            textContent.trim() &&
            parentElement.checkVisibility() &&
            !parentElement.closest("[lang='en']")
        ) {
            words.add(textContent.trim());
        }
    }
    return [...words];
}

/**
 * @param {Object[]} pages each with its name, the action, and what of it is looked at
 * @param {Object} options
 * @param {String} options.axe the address of axe-core
 * @param {Boolean} options.isPhone whether thumbs press
 * @returns {Promise<Object[]>} of each page its name, problems and words
 */
async function look(pages, {axe, isPhone}) {
    await loadJS(axe);
    // Nothing is looked at while it fades in.
    const style = document.createElement("style");
    style.textContent = "* {animation: none !important; transition: none !important;}";
    document.head.append(style);
    const {action} = odoo.__WOWL_DEBUG__.root.env.services;
    const found = [];
    for (const page of pages) {
        if (document.querySelector(".modal")) {
            await action.doAction({type: "ir.actions.act_window_close"});
        }
        await action.doAction(page.action, {
            clearBreadcrumbs: page.action.target !== "new",
        });
        const problems = new Set();
        const words = new Set();
        const tabs = () =>
            [...document.querySelectorAll(".o_notebook .nav-link")].filter((tab) =>
                tab.checkVisibility()
            );
        for (let index = 0; index < Math.max(1, tabs().length); index++) {
            tabs()[index]?.click();
            await settle();
            const selector =
                page.within ||
                (document.querySelector(".modal") ? ".modal" : ".o_action_manager");
            for (const problem of [
                ...(isPhone ? findTooSmall() : []),
                ...findCut(isPhone),
                ...(await findBarriers(selector)),
            ]) {
                problems.add(problem);
            }
            for (const word of readWords(document.querySelector(selector))) {
                words.add(word);
            }
        }
        found.push({name: page.name, problems: [...problems], words: [...words]});
    }
    return found;
}

/** Look at pages, and leave what is found in an attachment of this name. */
odoo.smsOvhLook = async (pages, options, name) => {
    const found = await look(pages, options);
    await rpc("/web/dataset/call_kw/ir.attachment/create", {
        model: "ir.attachment",
        method: "create",
        args: [{name, raw: JSON.stringify(found)}],
        kwargs: {},
    });
};
