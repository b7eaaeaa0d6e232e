import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {rpc} from "@web/core/network/rpc";

/** Have a scheduled action run, as the server does by itself, while one watches. */
function runCron(name) {
    return async () => {
        const [id] = await rpc("/web/dataset/call_kw/ir.cron/search", {
            model: "ir.cron",
            method: "search",
            args: [[["cron_name", "=", name]]],
            kwargs: {context: {lang: "en_US", active_test: false}},
        });
        await rpc("/web/dataset/call_kw/ir.cron/method_direct_trigger", {
            model: "ir.cron",
            method: "method_direct_trigger",
            args: [[id]],
            kwargs: {},
        });
    };
}

/** Have OVHcloud asked a few times: it takes a moment to deliver. */
async function receiveReports() {
    for (let attempt = 0; attempt < 5; attempt++) {
        await runCron("OVHcloud SMS: ask for missing delivery reports")();
        await new Promise((resolve) => browser.setTimeout(resolve, 500));
    }
}

const figure = (name, value) =>
    `.o_sms_ovh_figure[data-name='${name}'] .o_sms_ovh_figure_value:text(${value})`;

registry.category("web_tour.tours").add("sms_ovh_progress", {
    steps: () => [
        {
            content: "Send the campaign",
            trigger: "button[name='action_sms_ovh_send']",
            run: "click",
        },
        {
            trigger: ".modal-footer button[name='action_send']",
            run: "click",
        },
        {
            content: "All wait; nobody reloads the page from here on",
            trigger: figure("waiting", 5),
            run: () => {
                window.smsOvhNotReloaded = true;
            },
        },
        {
            trigger: ".o_sms_ovh_progress_title:contains('Waiting to start')",
            run: runCron("Mail Marketing: Process queue"),
        },
        {
            trigger: ".o_sms_ovh_progress_title:contains('Sending')",
        },
        {
            content: "Pause it",
            trigger: ".o_sms_ovh_pause",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_progress_title:contains('Paused')",
        },
        {
            trigger: ".o_sms_ovh_resume",
            run: "click",
        },
        {
            trigger: ".o_sms_ovh_progress_title:contains('Sending')",
            run: runCron("SMS: SMS Queue Manager"),
        },
        {
            content: "OVHcloud has them",
            timeout: 60000,
            trigger: figure("accepted", 5),
            run: receiveReports,
        },
        {
            content: "They are delivered, but one: it is asked every few seconds",
            timeout: 60000,
            trigger: figure("delivered", 4),
        },
        {
            trigger: figure("failed", 1),
        },
        {
            content: "The rest of the form knows too",
            trigger: ".o_arrow_button_current:contains('Sent')",
        },
        {
            content: "What it came to",
            trigger: ".o_sms_ovh_rate:text(80 %)",
            run: () => {
                if (!window.smsOvhNotReloaded) {
                    throw new Error("the page was reloaded");
                }
            },
        },
        {
            content: "Who failed",
            trigger: ".o_sms_ovh_failures .o_sms_ovh_count_link",
            run: "click",
        },
        {
            trigger: ".o_data_row [name='sms_number']:contains('+33612340020')",
        },
        {
            trigger: ".o_back_button, .breadcrumb-item a:contains('Ventes privées')",
            run: "click",
        },
        {
            content: "Look closer",
            trigger: ".o_sms_ovh_analyse",
            run: "click",
        },
        {
            trigger: ".o_pivot table",
        },
    ],
});
