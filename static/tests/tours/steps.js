/** Steps that look otherwise on a phone, for tours that are taken at both widths. */

/** Create a record from a list, or from cards on a phone. */
export const create = (content) => ({
    content,
    trigger: ".o_list_button_add, .o-kanban-button-new",
    run: "click",
});

/** Open a record of a list, or of cards on a phone. */
export const open = (content, text) => ({
    content,
    trigger: `.o_data_cell:contains('${text}'), .o_kanban_record:contains('${text}')`,
    run: "click",
});

/** Press a button of a form's header: on a phone, all but the first are in a menu. */
export const pressInHeader = (name, text = "") => [
    {
        isActive: ["mobile"],
        trigger: ".o_statusbar_buttons",
        run({anchor}) {
            if (!anchor.querySelector(`button[name='${name}']`)) {
                anchor.querySelector(".dropdown-toggle").click();
            }
        },
    },
    {
        trigger: `button[name='${name}']${text && `:contains('${text}')`}`,
        run: "click",
    },
];

/** Wait for a state of a form: a phone shows the current one only. */
export const seeState = (state) => [
    {
        isActive: ["desktop"],
        trigger: `.o_statusbar_status .o_arrow_button_current:contains('${state}')`,
    },
    {
        isActive: ["mobile"],
        trigger: `.o_statusbar_status .dropdown-toggle:contains('${state}')`,
    },
];

/** Open the figures above a form, which are in a menu on a phone. */
export const openFigures = () => ({
    isActive: ["mobile"],
    trigger: ".o_button_more",
    run: "click",
});

/** Choose the recipients' list: on a phone from cards that cover the screen. */
export const chooseList = (name) => [
    {
        isActive: ["desktop"],
        trigger: "div[name='contact_list_ids'] input",
        run: `edit ${name}`,
    },
    {
        isActive: ["desktop"],
        trigger: `.ui-autocomplete .dropdown-item:contains('${name}')`,
        run: "click",
    },
    {
        isActive: ["mobile"],
        trigger: "div[name='contact_list_ids'] input",
        run: "click",
    },
    {
        isActive: ["mobile"],
        trigger: `.modal .o_kanban_record:contains('${name}'), .modal .o_data_cell:contains('${name}')`,
        run: "click",
    },
    {
        trigger: `div[name='contact_list_ids'] .o_tag:contains('${name}')`,
    },
];
