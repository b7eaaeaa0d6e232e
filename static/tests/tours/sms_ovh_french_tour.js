import {chooseList, create, pressInHeader} from "./steps.js";
import {registry} from "@web/core/registry";

// What a user who speaks French only meets on the way to a sent campaign.
registry.category("web_tour.tours").add("sms_ovh_french", {
    url: "/odoo/sms-marketing",
    steps: () => [
        create("Write a campaign"),
        {
            trigger: "div[name='sms_subject'] input",
            run: "edit Soldes",
        },
        ...chooseList("Clients du tour"),
        {
            content: "Who sends, and what kind of SMS it is",
            trigger: ".o_form_label:contains('Expéditeur')",
        },
        {
            trigger: "div[name='sms_ovh_kind'] label:contains('Transactionnel')",
        },
        {
            trigger: "div[name='body_plaintext'] textarea",
            run: "edit C’est la fête",
        },
        {
            content: "The counter says what it counts",
            trigger: ".o_sms_ovh_count:contains('mention STOP comprise')",
        },
        {
            trigger: ".o_sms_ovh_replace:contains('Remplacer')",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_undo:contains('Rétablir')",
        },
        ...pressInHeader("action_sms_ovh_preview", "Aperçu"),
        {
            trigger: ".modal-footer button:contains('Envoyer un test')",
        },
        {
            trigger: ".modal-footer button:contains('Fermer')",
            run: "click",
        },
        {
            content: "Send, with the figures before one's eyes",
            trigger:
                "body:not(:has(.modal)) button[name='action_sms_ovh_send']:contains('Envoyer')",
            run: "click",
        },
        {
            trigger:
                ".modal h4:contains('Envoyer la campagne'), .modal-title:contains('Envoyer la campagne')",
        },
        {
            trigger: ".modal .modal-body:contains('crédits')",
        },
        {
            trigger: ".modal-footer button:contains('Envoyer')",
            run: "click",
        },
        {
            content: "It is in the queue; look at the dashboard",
            trigger: "body:not(:has(.modal)) .o_form_view:contains('En attente')",
        },
        {
            trigger: "a[data-menu-xmlid='sms_ovh.sms_ovh_dashboard_menu']",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_dashboard:contains('SMS restants')",
        },
        {
            trigger: ".o_sms_ovh_dashboard:contains('Recharge automatique')",
        },
    ],
});
