import {registry} from "@web/core/registry";

const text = "div[name='body'] textarea";

/** The word before the field is kept apart from it. */
function check(value) {
    if (value !== "Bonjour {{ object.first_name ||| cher client}}") {
        throw new Error(`the text is ${value}`);
    }
}

/** From a new template to a campaign with its text, in French, at either width. */
registry.category("web_tour.tours").add("sms_ovh_template", {
    url: "/odoo/sms-templates/new",
    steps: () => [
        {
            trigger: "div[name='name'] input",
            run: "edit Rentrée",
        },
        {
            content: "It is for contacts of lists, unless somebody says otherwise",
            trigger: "div[name='model_id'] input:value(Contact)",
        },
        {
            trigger: text,
            run: "edit Bonjour ",
        },
        {
            content: "The first name is a button",
            trigger: ".o_sms_ovh_insert[data-name='first_name']:contains('Prénom')",
            run: "click",
        },
        {
            content: "What is written where there is none is asked for",
            trigger: ".o_sms_ovh_fallback:contains('Prénom, s') input",
            run: "edit cher client && press Enter",
        },
        {
            trigger: text,
            run: ({anchor}) => check(anchor.value),
        },
        {
            isActive: ["mobile"],
            content: "On a phone the text comes first",
            trigger: ".o_sms_ovh_beside:not([open]) summary",
            run: "click",
        },
        {
            content: "The phone beside shows it",
            trigger:
                ".o_sms_ovh_beside[open] .o_sms_ovh_part:contains('Bonjour Prénom')",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger:
                ".o_statusbar_buttons button[name='action_sms_ovh_write_campaign']:contains('Rédiger une campagne')",
            run: "click",
        },
        {
            content: "The campaign starts with it",
            trigger: "div[name='body_plaintext'] textarea",
            run: ({anchor}) => check(anchor.value),
        },
        {
            trigger: "div[name='sms_subject'] input:value(Rentrée)",
        },
        {
            trigger: "div[name='sms_template_id'] input:value(Rentrée)",
        },
    ],
});

/** The text of a campaign is kept as a template. */
registry.category("web_tour.tours").add("sms_ovh_keep_template", {
    steps: () => [
        {
            trigger:
                "button[name='action_sms_ovh_save_template']:contains('Enregistrer comme modèle')",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('Ventes privées')",
        },
    ],
});
