import {open, pressInHeader, seeState} from "./steps.js";
import {registry} from "@web/core/registry";

const openCampaign = open("Open the campaign", "Soldes du dimanche");

registry.category("web_tour.tours").add("sms_ovh_schedule_and_cancel", {
    url: "/odoo/sms-marketing",
    steps: () => [
        openCampaign,
        {
            content: "Before sending, the form says when it would leave",
            trigger: "div[name='sms_ovh_leaves']:contains('If you send it now')",
        },
        ...pressInHeader("action_sms_ovh_schedule"),
        {
            content: "The figures are there, and no calendar is over them",
            trigger:
                "body:not(:has(.o_datetime_picker)) .modal div[name='sent_count']:contains('2')",
        },
        {
            content: "The focus is on them",
            trigger: ".modal div[name='summary']:focus",
        },
        {
            trigger:
                ".modal div[name='schedule_date'] button, .modal div[name='schedule_date'] input",
            run: "click",
        },
        {
            trigger: ".modal div[name='schedule_date'] input",
            run: "edit 12/30/2040 03:00:00",
        },
        {
            content: "Close the calendar, so that the date counts",
            trigger: ".modal-title",
            run: "click",
        },
        {
            trigger: ".modal-footer button[name='action_send']:contains('Schedule')",
            run: "click",
        },
        {
            content:
                "It is in the queue, and waits for the next opening after its date",
            trigger:
                "div[name='sms_ovh_leaves']:contains('Leaves on'):contains('December')",
        },
        ...seeState("In Queue"),
        // Nothing is composed yet: it becomes a draft again, once that is confirmed.
        ...pressInHeader("action_cancel"),
        {
            trigger: ".modal-footer button.btn-primary:contains('Take Back')",
            run: "click",
        },
        ...seeState("Draft"),
    ],
});

registry.category("web_tour.tours").add("sms_ovh_cancel_sent", {
    url: "/odoo/sms-marketing",
    steps: () => [
        openCampaign,
        {
            content: "It was sent, and waits for the recipients' hours",
            trigger: "div[name='sms_ovh_leaves']:contains('SMS that leave on')",
        },
        ...pressInHeader("action_sms_ovh_cancel"),
        {
            content: "The question says what cannot be undone",
            trigger: ".modal:contains('for good')",
        },
        {
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "What became of it is said in numbers",
            trigger:
                "div[name='sms_ovh_cancelled']:contains('before OVHcloud got them: 2')",
        },
        {
            trigger: "body:not(:has(button[name='action_sms_ovh_cancel']))",
        },
    ],
});
