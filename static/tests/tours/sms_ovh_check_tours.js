import {registry} from "@web/core/registry";

// From what a marketer wants, to the price, to the question.
registry.category("web_tour.tours").add("sms_ovh_check_numbers", {
    steps: () => [
        {
            trigger:
                ".o_sms_ovh_wish:contains('Nettoyer les numéros'), .o_sms_ovh_dashboard button:contains('Nettoyer les numéros'), .o_sms_ovh_dashboard a:contains('Nettoyer les numéros')",
            run: "click",
        },
        {
            trigger:
                ".o_kanban_record:contains('Clients à vérifier') button:contains('Vérifier les numéros')",
            run: "click",
        },
        {
            content: "How many, who is left out, and that nobody knows the price yet",
            trigger: ".modal .o_field_widget[name='count']:contains('2')",
        },
        {
            trigger: ".modal .o_field_widget[name='no_mobile_count']:contains('1')",
        },
        {
            trigger: ".modal .o_field_widget[name='cost']:contains('crédits')",
        },
        {
            content: "All of it fits the screen",
            trigger: ".modal .o_form_view",
            run() {
                const {scrollWidth, clientWidth} =
                    document.querySelector(".modal .modal-body");
                if (scrollWidth > clientWidth) {
                    throw new Error(`${scrollWidth} px in ${clientWidth}`);
                }
            },
        },
        {
            trigger:
                ".modal button[name='action_confirm']:contains('Vérifier et payer')",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('2')",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_checked_numbers", {
    steps: () => [
        {
            trigger: ".o_data_row:contains('+33612340010'):contains('En service')",
        },
        {
            trigger:
                ".o_data_row:contains('+33612340020'):contains('Hors service') .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: "button[name='action_send_anyway']:contains('Envoyer quand même')",
            run: "click",
        },
        {
            trigger:
                ".o_data_row:contains('+33612340020') .o_field_widget[name='send_anyway'] input:checked, .o_data_row:contains('+33612340020') [name='send_anyway'] input:checked",
        },
    ],
});
