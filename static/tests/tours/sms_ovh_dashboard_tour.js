import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("sms_ovh_dashboard", {
    url: "/odoo/sms-marketing",
    steps: () => [
        {
            content: "Open the dashboard of OVHcloud from the app's menu",
            trigger: "a[data-menu-xmlid='sms_ovh.sms_ovh_dashboard_menu']",
            run: "click",
        },
        {
            content: "What is left is there, and the month's figures",
            trigger: ".o_sms_ovh_left:contains('1,998')",
        },
        {
            trigger: ".o_sms_ovh_tile[data-name='sent'] .o_sms_ovh_value:contains('2')",
        },
        {
            content: "The chart has the same as a table",
            trigger: ".o_sms_ovh_dashboard summary",
            run: "click",
        },
        {
            trigger:
                ".o_sms_ovh_table tbody tr:first-child td:last-child:contains('2')",
        },
        {
            content: "Refresh from OVHcloud",
            trigger: ".o_sms_ovh_refresh",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('just now')",
        },
        {
            content: "Open what failed",
            trigger: ".o_sms_ovh_tile[data-name='failed']:contains('1')",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('+33612340020')",
        },
        {
            content: "Go back, and on to the account",
            trigger: ".o_breadcrumb a:contains('Dashboard'), .o_back_button",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_open_account",
            run: "click",
        },
        {
            content: "At the head of its form are the same figures",
            trigger: "button[name='action_open_dashboard']:contains('Sent This Month')",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_tile[data-name='sent']",
        },
    ],
});
