import {chooseList, create, pressInHeader, seeState} from "./steps.js";
import {registry} from "@web/core/registry";
import {rpc} from "@web/core/network/rpc";

/** Call a method of a model. */
function call(model, method, ...args) {
    return rpc(`/web/dataset/call_kw/${model}/${method}`, {
        model,
        method,
        args,
        kwargs: {},
    });
}

registry.category("web_tour.tours").add("sms_ovh_estimate", {
    url: "/odoo/sms-marketing",
    steps: () => [
        create("Write a campaign"),
        {
            trigger: "div[name='sms_subject'] input",
            run: "edit Soldes",
        },
        ...chooseList("Clients du tour"),
        {
            content: "With a placeholder, and two SMS long for some",
            trigger: "div[name='body_plaintext'] textarea",
            run: "edit Bonjour {{ object.name }}, nos soldes commencent samedi. Une surprise vous attend en magasin des 9 h, venez nombreux. Toute l equipe de la boutique",
        },
        ...pressInHeader("action_sms_ovh_estimate"),
        {
            content: "Two of three get it",
            trigger: ".modal div[name='sent_count']:contains('2')",
        },
        {
            trigger: ".modal div[name='excluded_line_ids']:contains('Landline')",
        },
        {
            trigger: ".modal div[name='country_line_ids']:contains('France')",
        },
        {
            content: "The longest text is shown with whose it is",
            trigger: ".modal div[name='longest']:contains('Maximilienne')",
        },
        {
            trigger: ".modal-footer button:contains('Close')",
            run: "click",
        },
        {
            content: "The form says so in short",
            trigger: "div[name='sms_ovh_estimate']:contains('Recipients: 2 · SMS: 3')",
        },
        ...pressInHeader("action_sms_ovh_preview"),
        {
            trigger: ".modal .o_sms_ovh_position:contains('1 / 3')",
        },
        {
            trigger: ".modal .o_sms_ovh_screen:contains('MaBoutique')",
        },
        {
            content: "A name is a text, never markup",
            trigger: ".modal .o_sms_ovh_part:contains('<b>Camille</b>')",
        },
        {
            trigger: ".modal .o_sms_ovh_next",
            run: "click",
        },
        {
            trigger: ".modal .o_sms_ovh_position:contains('2 / 3')",
        },
        {
            content: "Both parts are marked, the clause is in the second",
            trigger: ".modal .o_sms_ovh_end:contains('End of SMS 2 of 2')",
        },
        {
            trigger: ".modal .o_sms_ovh_part:contains('STOP:36111')",
        },
        {
            trigger: ".modal .o_sms_ovh_next",
            run: "click",
        },
        {
            content: "The third has a landline only",
            trigger: ".modal .o_sms_ovh_reason:contains('Landline')",
        },
        {
            trigger: ".modal .o_sms_ovh_previous",
            run: "click",
        },
        {
            trigger: ".modal .o_sms_ovh_position:contains('2 / 3')",
        },
        {
            content: "Send the text of the second to oneself",
            trigger: ".modal-footer button[name='action_test']",
            run: "click",
        },
        {
            trigger:
                ".modal div[name='sms_ovh_resource_ref'] input:value(Maximilienne)",
        },
        {
            trigger: ".modal div[name='numbers'] textarea",
            run: "edit +33699999999",
        },
        {
            trigger: ".modal-footer button[name='action_send_sms']",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            content: "Change the text: the figures do not hold any more",
            trigger: "div[name='body_plaintext'] textarea",
            run: "edit Bonjour {{ object.name }}, nos soldes commencent samedi.",
        },
        {
            trigger: "div[name='sms_ovh_estimate']:contains('out of date')",
        },
        {
            content: "Send: the figures are made again",
            trigger: "button[name='action_sms_ovh_send']",
            run: "click",
        },
        {
            trigger: ".modal div[name='segment_count']:contains('2')",
        },
        {
            content: "Core's own question is not asked as well",
            trigger: "body:not(:contains('Ready to unleash'))",
        },
        {
            trigger: ".modal-footer button[name='action_send']",
            run: "click",
        },
        ...seeState("In Queue"),
    ],
});

registry.category("web_tour.tours").add("sms_ovh_estimate_progress", {
    url: "/odoo/sms-marketing",
    steps: () => [
        {
            trigger: ".o_data_cell:contains('Grande liste')",
            run: "click",
        },
        {
            trigger: "button[name='action_sms_ovh_send']",
            run: "click",
        },
        {
            content: "It is being computed, and cannot be sent yet",
            trigger:
                ".modal:not(:has(button[name='action_send'])) .o_sms_ovh_estimate_progress:contains('of 3')",
        },
        {
            content: "Stop it",
            trigger: ".modal-footer button[name='action_cancel_estimate']",
            run: "click",
        },
        {
            trigger: ".modal .alert:contains('was stopped')",
        },
        {
            content: "Start it again",
            trigger: ".modal .alert button[name='action_estimate']",
            run: "click",
        },
        {
            content: "The scheduled action computes it",
            trigger: ".modal .o_sms_ovh_estimate_progress",
            async run() {
                const [data] = await call(
                    "ir.model.data",
                    "search_read",
                    [
                        ["module", "=", "sms_ovh"],
                        ["name", "=", "ir_cron_estimate"],
                    ],
                    ["res_id"]
                );
                await call("ir.cron", "method_direct_trigger", [data.res_id]);
            },
        },
        {
            content: "The figures come without a key being pressed",
            trigger: ".modal .modal-footer button[name='action_send']",
        },
        {
            trigger: ".modal div[name='sent_count']:contains('2')",
        },
    ],
});
