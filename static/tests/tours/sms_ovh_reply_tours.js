import {open, openFigures, pressInHeader} from "./steps.js";
import {registry} from "@web/core/registry";

const openReply = () => [
    open("Open the reply", "À quelle heure"),
    {
        content: "It says who wrote, and on which campaign",
        trigger: ".o_form_view div[name='partner_id']:contains('Zoé Martin')",
    },
    {
        trigger: ".o_form_view div[name='mailing_id']:contains('Ventes privées')",
    },
];

registry.category("web_tour.tours").add("sms_ovh_answer_reply", {
    url: "/odoo/ovhcloud-replies",
    steps: () => [
        ...openReply(),
        {
            trigger: "button[name='action_reply']:not(:contains('Discard'))",
            run: "click",
        },
        {
            content: "Answer as who can be replied to, to who wrote",
            trigger: ".modal div[name='sms_ovh_sender_id'] input:value('Short number')",
        },
        {
            trigger: ".modal div[name='body'] textarea",
            run: "edit Dès 9 h, à samedi !",
        },
        {
            trigger: ".modal-footer button[name='action_send_sms']:enabled",
            run: "click",
        },
        {
            content: "The reply is answered",
            trigger:
                "body:not(:has(.modal)) .o_form_view div[name='state']:contains('Answered')",
        },
        ...pressInHeader("action_open_record"),
        {
            content: "What the contact wrote is in the chatter, as the contact's",
            trigger:
                ".o-mail-Message:has(.o-mail-Message-author:contains('Zoé Martin')) .o-mail-Message-body:contains('À quelle heure ouvrez-vous <b>samedi</b> ?')",
        },
        {
            trigger: ".o-mail-Message-body:contains('Dès 9 h, à samedi !')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_stop", {
    url: "/odoo/sms-marketing",
    steps: () => [
        open("Open the campaign", "Ventes privées"),
        openFigures(),
        {
            content: "One recipient answered STOP",
            trigger: "button[name='action_view_sms_ovh_stops']:contains('1')",
            run: "click",
        },
        {
            trigger:
                ".o_data_row:contains('+33612345678'), .o_kanban_record:contains('+33612345678')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_stop_chatter", {
    url: "/odoo/contacts",
    steps: () => [
        open("Open the contact", "Zoé Martin"),
        {
            content: "The contact's chatter says so",
            trigger:
                ".o-mail-Message-body:contains('Answered STOP to an SMS of the campaign “Ventes privées”')",
        },
    ],
});
