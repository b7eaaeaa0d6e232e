import {open} from "./steps";
import {registry} from "@web/core/registry";

// Somebody who writes no campaigns sends an SMS from a record, and sees it there.
registry.category("web_tour.tours").add("sms_ovh_salesperson", {
    url: "/odoo/contacts",
    steps: () => [
        open("Open the contact", "Zoé Martin"),
        {
            content: "Beside the number, where a mouse that comes near shows it",
            isActive: ["desktop"],
            trigger: ".o_form_view .o_field_phone_sms:not(:visible)",
            run({anchor}) {
                anchor.click();
            },
        },
        {
            isActive: ["mobile"],
            trigger: ".o_form_view .o_field_phone_sms",
            run: "click",
        },
        {
            content: "It leaves under the shop's name",
            trigger: ".modal div[name='sms_ovh_sender_id'] input:value('MaBoutique')",
        },
        {
            trigger: ".modal div[name='body'] textarea",
            run: "edit Votre commande est arrivée.",
        },
        {
            content: "What it takes is counted while it is written",
            trigger: ".modal .o_sms_ovh_counter:contains('27 / 160'):contains('1 SMS')",
        },
        {
            trigger: ".modal-footer button[name='action_send_sms']",
            run: "click",
        },
        {
            content: "The chatter keeps it",
            trigger:
                "body:not(:has(.modal)) .o-mail-Message:contains('Votre commande est arrivée.')",
        },
    ],
});
