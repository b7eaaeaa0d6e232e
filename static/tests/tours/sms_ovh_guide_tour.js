import {registry} from "@web/core/registry";

const press = (trigger) => ({trigger, run: "click"});

// From nothing to a test SMS, step by step, read in French.
registry.category("web_tour.tours").add("sms_ovh_guide_start", {
    steps: () => [
        press(".o_list_button_add, .o-kanban-button-new"),
        {
            content: "Five steps, and the button that connects, from the start",
            trigger: ".o_sms_ovh_guide li:count(5)",
        },
        {
            trigger:
                ".o_form_statusbar button[name='action_connect']:contains('Se connecter à OVHcloud')",
        },
        {
            trigger:
                ".o_sms_ovh_guide li:nth-child(1) a[target='_blank'][href*='ovhcloud.com']:contains('OVHcloud')",
        },
        {
            trigger:
                ".o_sms_ovh_guide li:nth-child(2) a[target='_blank'][href='https://eu.api.ovh.com/createApp/']",
        },
        {
            content:
                "A picture of where the keys stand, and words for who cannot see it",
            trigger: ".o_sms_ovh_guide img[alt*='secret']",
            run({anchor}) {
                if (!anchor.naturalWidth) {
                    throw new Error("the picture is not there");
                }
            },
        },
        {
            content: "Nothing of what other ways need",
            trigger: ".o_sms_ovh_ways:not([open])",
            run({anchor}) {
                const shown = [...anchor.querySelectorAll("div[name]")].filter((node) =>
                    node.checkVisibility({contentVisibilityAuto: true})
                );
                if (shown.length) {
                    throw new Error(`not folded away: ${shown[0].outerHTML}`);
                }
            },
        },
        {
            content: "An empty form says what this way needs: two keys",
            isActive: ["desktop"],
            trigger: ".o_form_statusbar button[name='action_test_connection']",
            run: "click",
        },
        {
            isActive: ["mobile"],
            trigger: ".o_form_statusbar button[name='action_connect']",
            run: "click",
        },
        {
            trigger: ".modal:contains(/clé d.application et son secret/)",
        },
        press(".modal-footer .btn-primary"),
        {
            trigger: ".o_sms_ovh_guide div[name='application_key'] input",
            run: "edit demoapplication1",
        },
        {
            trigger: ".o_sms_ovh_guide div[name='application_secret'] input",
            run: "edit demosecret1demosecret1demosecret1",
        },
        {
            content: "The rights are filled in where all three keys are made",
            trigger: ".o_sms_ovh_ways > summary:contains('autre')",
            run: "click",
        },
        {
            trigger:
                ".o_sms_ovh_ways a[href*='createToken/?GET=/sms&GET=/sms/*&POST=/sms/*&PUT=/sms/*&DELETE=/sms/*']:visible",
        },
        press(".o_form_button_save"),
        {
            trigger:
                ".o_form_saved .o_sms_ovh_guide li:nth-child(3) button[name='action_connect']",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_guide_end", {
    steps: () => [
        {
            content: "Three steps are done",
            trigger: ".o_sms_ovh_guide li:nth-child(3):contains('Fait')",
        },
        {
            trigger:
                ".o_sms_ovh_guide li:nth-child(4) button[name='action_request_sender']:contains('Demander')",
        },
        {
            content: "The company sends with it",
            trigger: ".o_sms_ovh_guide li:nth-child(5) button[name='action_use']",
            run: "click",
        },
        press(".o_sms_ovh_guide li:nth-child(5) button[name='action_send_test']"),
        {
            content: "To the user's own number",
            trigger: ".modal div[name='numbers'] input:value(+33612340099)",
        },
        press(".modal-footer button[name='action_send_sms']"),
        {
            trigger: "body:not(:has(.modal)) .o_form_view",
        },
    ],
});
