import {registry} from "@web/core/registry";

const openAccount = () => [
    {
        content: "Open the account",
        // A list, or cards on a phone.
        trigger:
            ".o_data_cell:contains('sms-ab12345-1'), .o_kanban_record:contains('sms-ab12345-1')",
        run: "click",
    },
];

registry.category("web_tour.tours").add("sms_ovh_request_sender", {
    url: "/odoo/ovhcloud-sms",
    steps: () => [
        ...openAccount(),
        {
            trigger: ".nav-link[name='senders']",
            run: "click",
        },
        {
            trigger: "button[name='action_request_sender']",
            run: "click",
        },
        {
            content: "OVHcloud's suggestions are shown",
            trigger: ".modal div[name='suggestion_ids']:contains('DemoBoutik')",
        },
        {
            content: "What cannot be a sender is said while typing",
            trigger: ".modal div[name='name'] input",
            run({anchor}) {
                anchor.value = "Café";
                anchor.dispatchEvent(new InputEvent("input", {bubbles: true}));
            },
        },
        {
            trigger: ".modal .o_sms_ovh_sender_rule.text-danger:contains('é')",
        },
        {
            trigger: ".modal div[name='name'] input",
            run({anchor}) {
                anchor.value = "123456";
                anchor.dispatchEvent(new InputEvent("input", {bubbles: true}));
            },
        },
        {
            trigger:
                ".modal .o_sms_ovh_sender_rule.text-danger:contains('digits only')",
        },
        {
            trigger: ".modal div[name='name'] input",
            run: "edit Vitrine",
        },
        {
            trigger: ".modal .o_sms_ovh_sender_rule.text-muted:contains('7 of 11')",
        },
        {
            trigger: ".modal div[name='description'] input",
            run: "edit Nos magasins",
        },
        {
            trigger: ".modal div[name='reason'] textarea",
            run: "edit Enseigne de nos magasins",
        },
        {
            trigger: ".modal button[name='action_request']",
            run: "click",
        },
        {
            content: "It is among the senders, and waits",
            trigger:
                "body:not(:has(.modal)) div[name='sender_ids']:contains('Vitrine'):contains('Waiting')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_set_quota", {
    url: "/odoo/ovhcloud-api-users",
    steps: () => [
        {
            content: "Open the API user",
            trigger: ".o_data_cell:contains('compta')",
            run: "click",
        },
        {
            trigger: "div[name='quota_active'] input",
            run: "click",
        },
        {
            trigger: "div[name='quota_left'] input",
            run: "edit 300",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "OVHcloud has it",
            trigger: ".o_form_saved",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_set_forwarding", {
    url: "/odoo/ovhcloud-sms",
    steps: () => [
        ...openAccount(),
        {
            trigger: ".nav-link[name='replies']",
            run: "click",
        },
        {
            trigger: "button[name='action_set_replies']",
            run: "click",
        },
        {
            trigger: ".modal div[name='emails'] textarea",
            run: "edit boutique@example.com",
        },
        {
            content: "The text of the automatic answer is counted",
            trigger: ".modal .o_radio_item:contains('Answer Automatically') input",
            run: "click",
        },
        {
            trigger: ".modal div[name='response_text'] textarea",
            run: "edit Merci, nous vous rappelons.",
        },
        {
            trigger: ".modal .o_sms_ovh_counter",
        },
        {
            trigger: ".modal button[name='action_apply']",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.modal)) div[name='reply_emails']:contains('boutique@example.com')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_create_user", {
    url: "/odoo/ovhcloud-api-users",
    steps: () => [
        {
            trigger: "button[name='action_create_user']",
            run: "click",
        },
        {
            trigger: ".modal div[name='login'] input",
            run: "edit Boutique && click body",
        },
        {
            content: "Capitals are advised against",
            trigger: ".modal .text-warning:contains('lower case')",
        },
        {
            trigger: ".modal div[name='password'] input",
            run: "edit Abcd1234 && click body",
        },
        {
            trigger: ".modal div[name='login'] input",
            run: "edit boutique",
        },
        {
            trigger: ".modal button[name='action_create']",
            run: "click",
        },
        {
            content: "The password is shown",
            trigger: ".modal div[name='password_shown']:contains('Abcd1234')",
        },
        {
            trigger: ".modal button[name='action_done']",
            run: "click",
        },
        {
            content: "The new user is open",
            trigger:
                "body:not(:has(.modal)):not(:contains('Abcd1234')) .oe_title div[name='login']:contains('boutique')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_set_recharge", {
    url: "/odoo/ovhcloud-sms",
    steps: () => [
        ...openAccount(),
        {
            trigger: ".nav-link[name='recharge']",
            run: "click",
        },
        {
            trigger: "button[name='action_set_recharge']",
            run: "click",
        },
        {
            content: "What it means to leave it off is said",
            trigger: ".modal .alert:contains('stop and wait')",
        },
        {
            trigger: ".modal div[name='amount'] .o_select_menu_toggler",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('500 SMS')",
            run: "click",
        },
        {
            trigger: ".modal .alert-info:contains('500 SMS by itself')",
        },
        {
            trigger: ".modal button[name='action_apply']:contains('Recharge')",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.modal)) div[name='recharge_amount']:contains('500')",
        },
    ],
});
