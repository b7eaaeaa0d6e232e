import {registry} from "@web/core/registry";

const openReply = () => [
    {
        content: "Open the reply",
        // A list, or cards on a phone.
        trigger:
            ".o_data_cell:contains('À quelle heure'), .o_kanban_record:contains('À quelle heure')",
        run: "click",
    },
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
        {
            isActive: ["mobile"],
            content: "Further buttons are in a menu there",
            trigger: ".o_statusbar_buttons .dropdown-toggle",
            run: "click",
        },
        {
            content: "See the conversation",
            trigger: "button[name='action_open_record']",
            run: "click",
        },
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
        {
            content: "Open the campaign",
            trigger:
                ".o_kanban_record:contains('Ventes privées'), .o_data_cell:contains('Ventes privées')",
            run: "click",
        },
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
        {
            content: "Open the contact",
            trigger: ".o_data_cell:contains('Zoé Martin')",
            run: "click",
        },
        {
            content: "The contact's chatter says so",
            trigger:
                ".o-mail-Message-body:contains('Answered STOP to an SMS of the campaign “Ventes privées”')",
        },
    ],
});
