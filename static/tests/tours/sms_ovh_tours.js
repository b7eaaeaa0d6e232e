import {registry} from "@web/core/registry";

/**
 * The simulated OVHcloud listens on a port of its own in each run; the test leaves its
 * address here before the tour starts.
 */
const API_URL_KEY = "sms_ovh.tests.api_url";

registry.category("web_tour.tours").add("sms_ovh_configure", {
    url: "/odoo/sms-marketing",
    steps: () => [
        {
            content: "Open the configuration menu of SMS Marketing",
            trigger:
                "button[data-menu-xmlid='mass_mailing_sms.mass_mailing_sms_menu_configuration']",
            run: "click",
        },
        {
            content: "Open OVHcloud's accounts",
            trigger: "a[data-menu-xmlid='sms_ovh.sms_ovh_account_menu']",
            run: "click",
        },
        {
            content: "Create an account",
            trigger: ".o_breadcrumb:contains('OVHcloud Accounts')",
        },
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "What only other ways of connecting need is folded away",
            trigger: ".o_sms_ovh_ways:not([open])",
        },
        {
            trigger: ".o_sms_ovh_ways > summary",
            run: "click",
        },
        {
            content: "A name with spaces around it is cleaned",
            trigger: "div[name='service_name'] input",
            run: "edit  sms-ab12345-1 ",
        },
        {
            content: "Choose an API of one's own, the simulator's",
            trigger: "div[name='endpoint'] .o_select_menu_toggler",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('Other Address')",
            run: "click",
        },
        {
            trigger: "div[name='endpoint_url'] input",
            run({anchor}) {
                anchor.value = window.localStorage.getItem(API_URL_KEY);
                anchor.dispatchEvent(new Event("input", {bubbles: true}));
                anchor.dispatchEvent(new Event("change", {bubbles: true}));
            },
        },
        {
            trigger: "div[name='application_key'] input",
            run: "edit demoapplication1",
        },
        {
            trigger: "div[name='application_secret'] input",
            run: "edit demosecret1demosecret1demosecret1",
        },
        {
            content: "A consumer key that nobody approved yet",
            trigger: "div[name='consumer_key'] input",
            run: "edit demopending00000000000000000pend",
        },
        {
            trigger: "button[name='action_test_connection']:visible",
            run: "click",
        },
        {
            content: "One sentence says what is wrong",
            trigger: ".alert-danger:contains('consumer key')",
        },
        {
            trigger: "div[name='consumer_key'] input",
            run: "edit democonsumer1democonsumer1democo",
        },
        {
            trigger: "button[name='action_test_connection']:visible",
            run: "click",
        },
        {
            content: "The account is connected and shows the SMS left",
            trigger: ".o_notification:contains('2,000 SMS left')",
        },
        {
            trigger:
                ".o_statusbar_status .o_arrow_button_current:contains('Connected')",
        },
        {
            content: "The first enabled sender was chosen",
            trigger: "div[name='default_sender_id'] input:value(MaBoutique)",
        },
        {
            content: "All senders are listed",
            trigger: "a[name='senders']",
            run: "click",
        },
        {
            trigger: "div[name='sender_ids'] .o_data_cell:contains('Short number')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_settings", {
    url: "/odoo/settings",
    steps: () => [
        {
            content: "Send SMS with OVHcloud",
            trigger: "#sms_ovh .o_field_widget[name='sms_ovh_enabled'] input",
            run: "click",
        },
        {
            content: "The company's only account is proposed",
            trigger:
                "#sms_ovh div[name='sms_ovh_account_id'] input:value(sms-ab12345-1)",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "#sms_ovh button[name='action_sms_ovh_test_connection']",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('2,000 SMS left')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_campaign", {
    url: "/odoo/sms-marketing",
    steps: () => [
        {
            content: "Write a campaign",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: "div[name='sms_subject'] input",
            run: "edit Ventes privées",
        },
        {
            trigger: "div[name='contact_list_ids'] input",
            run: "edit Clients du tour",
        },
        {
            trigger: ".ui-autocomplete .dropdown-item:contains('Clients du tour')",
            run: "click",
        },
        {
            trigger: "div[name='body_plaintext'] textarea",
            run: "edit Nos ventes commencent samedi. A bientot !",
        },
        {
            content: "Send",
            trigger: "button[name='action_sms_ovh_send']",
            run: "click",
        },
        {
            content: "Confirm what it comes to",
            trigger: ".modal div[name='segment_count']:contains('2')",
        },
        {
            trigger: ".modal-footer button[name='action_send']",
            run: "click",
        },
        {
            content: "It is in the queue",
            trigger: ".o_arrow_button_current:contains('In Queue')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_delivered", {
    url: "/odoo/sms-marketing",
    steps: () => [
        {
            content: "Open the campaign",
            trigger: ".o_data_cell:contains('Ventes privées')",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains('Sent')",
        },
        {
            content: "See who got it",
            trigger: "button[name='action_view_sms_ovh_traces']",
            run: "click",
        },
        {
            content: "Every recipient's SMS is delivered",
            trigger:
                ".o_list_view .o_data_row:nth-child(2) [name='trace_status']:contains('Delivered')",
        },
    ],
});
