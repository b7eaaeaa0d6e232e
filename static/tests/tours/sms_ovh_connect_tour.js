import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";

const opened = [];

/** Note where the page would go instead of going there. */
function noteNavigation() {
    const real = window.location;
    const location = new Proxy(
        {},
        {
            get(_target, name) {
                if (name === "assign") {
                    return (url) => opened.push(String(url));
                }
                return typeof real[name] === "function"
                    ? real[name].bind(real)
                    : real[name];
            },
        }
    );
    Object.defineProperty(browser, "location", {
        configurable: true,
        get: () => location,
    });
}

registry.category("web_tour.tours").add("sms_ovh_connect", {
    steps: () => [
        {
            content: "OVHcloud's page is another origin, where no tour can follow",
            trigger: "button[name='action_connect']:contains('Connect with OVHcloud')",
            run: noteNavigation,
        },
        {
            content: "Test Connection is there too, beside it",
            trigger: "button[name='action_test_connection']:visible",
        },
        {
            content: "Connect",
            trigger: "button[name='action_connect']:visible",
            run: "click",
        },
        {
            content: "OVHcloud's page opens",
            trigger: "body",
            async run() {
                for (let tries = 0; !opened.length && tries < 100; tries++) {
                    await new Promise((resolve) => setTimeout(resolve, 50));
                }
                if (!/\/auth\/\?credentialToken=/.test(opened[0])) {
                    throw new Error(`opened: ${opened}`);
                }
            },
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_connected", {
    steps: () => [
        {
            content: "The account is connected",
            trigger:
                ".o_statusbar_status .o_arrow_button_current:contains('Connected')",
        },
        {
            content: "Until when",
            trigger: "div[name='credential_expiration']:not(:empty)",
        },
        {
            content: "The service was read",
            trigger: "div[name='service_name'] input:value(sms-ab12345-1)",
        },
        {
            content: "So were the senders",
            trigger: "a[name='senders']",
            run: "click",
        },
        {
            trigger: "div[name='sender_ids'] .o_data_cell:contains('MaBoutique')",
        },
    ],
});

registry.category("web_tour.tours").add("sms_ovh_choose_service", {
    steps: () => [
        {
            content: "One sentence says what is to be done",
            trigger: ".alert-warning:contains('choose one')",
        },
        {
            content: "Choose",
            trigger: "button[name='action_choose_service']:visible",
            run: "click",
        },
        {
            content: "Both services are there, with what is left on them",
            trigger: ".modal .o_data_row:contains('sms-cd67890-1'):contains('500')",
        },
        {
            content: "Use one of them",
            trigger:
                ".modal .o_data_row:contains('sms-ab12345-1') button[name='action_choose']",
            run: "click",
        },
        {
            content: "The account is connected",
            trigger:
                ".o_statusbar_status .o_arrow_button_current:contains('Connected')",
        },
        {
            trigger: "div[name='service_name'] input:value(sms-ab12345-1)",
        },
    ],
});
