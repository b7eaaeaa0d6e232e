import {Component, onWillUnmount, useEffect, useState} from "@odoo/owl";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {ConnectionLostError} from "@web/core/network/rpc";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {formatFloat} from "@web/core/utils/numbers";
import {formatMonetary} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

const {DateTime, Duration} = luxon;

const MODEL = "mailing.mailing";
const ANNOUNCEMENT = "sms_ovh.progress";

/** In the order of the bar: from what is well to what is still to come. */
const FIGURES = [
    {name: "delivered", label: _t("Delivered"), class: "bg-success"},
    {name: "accepted", label: _t("Accepted"), class: "bg-info"},
    {name: "failed", label: _t("Failed"), class: "bg-danger"},
    {name: "cancelled", label: _t("Cancelled"), class: "bg-secondary"},
    {name: "waiting", label: _t("Waiting"), class: "bg-body-secondary"},
];

/** Milliseconds between two questions to the server. */
export const DELAYS = {
    /** However often the bus says that something changed. */
    shortest: 1000,
    /** After the last announcement: the server announces but once a second. */
    trailing: 1500,
    sending: {live: 20000, polling: 4000},
    waitingForReports: {live: 60000, polling: 15000},
};
/** Of the time, at most this share is spent on asking. */
const BUSY_SHARE = 0.1;

/** How far a campaign is, live, and what it came to. */
export class CampaignProgress extends Component {
    static template = "sms_ovh.CampaignProgress";
    static props = {...standardWidgetProps};

    setup() {
        this.action = useService("action");
        this.bus = useService("bus_service");
        this.orm = useService("orm");
        this.state = useState({progress: null, results: null, busy: false});
        this.figures = FIGURES;
        this.onAnnouncement = this.onAnnouncement.bind(this);
        this.channel = null;
        this.timers = {};
        this.lastLoad = {at: 0, took: 0};
        useEffect(
            (resId) => {
                if (!resId) {
                    return;
                }
                this.state.progress = null;
                this.state.results = null;
                this.hasMoved = false;
                this.reloadedFor = null;
                this.bus.subscribe(ANNOUNCEMENT, this.onAnnouncement);
                return () => {
                    this.bus.unsubscribe(ANNOUNCEMENT, this.onAnnouncement);
                    this.listen(null);
                    this.clearTimers();
                };
            },
            () => [this.resId]
        );
        useEffect(
            (resId, state) => {
                // Also what a button of the form has just changed.
                if (this.state.progress?.state !== state) {
                    this.load();
                }
            },
            () => [this.resId, this.props.record.data.state]
        );
        onWillUnmount(() => {
            this.gone = true;
            this.clearTimers();
        });
    }

    get resId() {
        return this.props.record.resId;
    }

    // ------------------------------------------------------------
    // Asking
    // ------------------------------------------------------------

    clearTimers() {
        Object.values(this.timers).forEach((timer) => browser.clearTimeout(timer));
        this.timers = {};
    }

    loadIn(name, delay) {
        browser.clearTimeout(this.timers[name]);
        this.timers[name] = browser.setTimeout(() => this.load(), delay);
    }

    /** Listen where this campaign is announced: only who may see it is told where. */
    listen(channel) {
        if (channel === this.channel) {
            return;
        }
        if (this.channel) {
            this.bus.deleteChannel(this.channel);
        }
        this.channel = channel;
        if (channel) {
            this.bus.addChannel(channel);
        }
    }

    onAnnouncement({id}) {
        if (id !== this.resId) {
            return;
        }
        const {at, took} = this.lastLoad;
        const gap = Math.max(DELAYS.shortest, took / BUSY_SHARE);
        this.loadIn("announced", Math.max(0, at + gap - Date.now()));
        this.loadIn("trailing", Math.max(DELAYS.trailing, 1.5 * gap));
    }

    async load() {
        const resId = this.resId;
        if (!resId) {
            return;
        }
        if (this.loading) {
            this.again = true;
            return;
        }
        this.loading = true;
        this.again = false;
        const start = Date.now();
        try {
            const progress = await this.orm.silent.call(MODEL, "sms_ovh_get_progress", [
                [resId],
            ]);
            let results = this.state.results;
            if (this.isOver(progress) && (progress.sent_at || results)) {
                results = await this.orm.silent.call(MODEL, "sms_ovh_get_results", [
                    [resId],
                ]);
            }
            if (this.gone || resId !== this.resId) {
                return;
            }
            const before = this.state.progress;
            this.hasMoved =
                before &&
                JSON.stringify(before.counts) !== JSON.stringify(progress.counts);
            this.state.progress = progress;
            this.state.results = results;
            this.listen(progress.channel);
            await this.reloadForm(progress);
        } catch (error) {
            if (!(error instanceof ConnectionLostError)) {
                throw error;
            }
            // The next question finds the server again.
        } finally {
            this.loading = false;
            this.lastLoad = {at: Date.now(), took: Date.now() - start};
            if (!this.gone) {
                this.planNext();
            }
        }
    }

    planNext() {
        if (this.again) {
            this.loadIn("announced", DELAYS.shortest);
        }
        const progress = this.state.progress;
        if (this.hasMoved && (!this.isOver(progress) || progress.counts.accepted)) {
            // What moves goes on moving, and not each announcement comes: one is left
            // out after another, or overtaken.
            const gap = this.lastLoad.took / BUSY_SHARE;
            this.loadIn("moved", Math.max(DELAYS.trailing, gap));
        } else {
            browser.clearTimeout(this.timers.moved);
        }
        if (progress && !this.isOver(progress)) {
            this.loadIn("next", DELAYS.sending[this.mode]);
        } else if (!progress || progress.counts.accepted) {
            this.loadIn("next", DELAYS.waitingForReports[this.mode]);
        } else {
            browser.clearTimeout(this.timers.next);
        }
    }

    /** Without the bus (an old proxy, a network that cuts it) it is asked more often. */
    get mode() {
        return this.bus.workerState === "CONNECTED" ? "live" : "polling";
    }

    /** Show the rest of the form as it is now, unless somebody is writing in it. */
    async reloadForm(progress) {
        const {record} = this.props;
        const {state, paused, counts} = progress;
        const isOver = this.isOver(progress);
        // The rates above the form change with each report, once all is sent.
        const reports = isOver ? `${counts.delivered} ${counts.failed}` : "";
        const key = `${state} ${paused} ${reports}`;
        const isPaused = record.data.sms_ovh_paused ?? paused;
        const isShown = state === record.data.state && paused === isPaused;
        if (this.reloadedFor === null && isShown) {
            // As it was read together with the form.
            this.reloadedFor = key;
            return;
        }
        if (this.reloadedFor === key || (isShown && !isOver)) {
            return;
        }
        // Once: a record that says otherwise says so again.
        this.reloadedFor = key;
        if (!(await record.isDirty())) {
            await record.load();
        }
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    isOver(progress) {
        return progress.state === "done" && !progress.counts.waiting;
    }

    get title() {
        const {state, paused, cancelled, counts} = this.state.progress;
        if (cancelled) {
            return cancelled === "cancelling" ? _t("Being Cancelled") : _t("Cancelled");
        }
        if (paused) {
            return _t("Paused");
        }
        if (state === "in_queue") {
            return _t("Waiting to start");
        }
        if (counts.waiting) {
            return _t("Sending");
        }
        return counts.accepted
            ? _t("Sent, delivery reports are coming in")
            : _t("Campaign sent");
    }

    get percentage() {
        const {counts, total} = this.state.progress;
        return total ? Math.floor((100 * (total - counts.waiting)) / total) : 0;
    }

    width(name) {
        const {counts, total} = this.state.progress;
        return total ? (100 * counts[name]) / total : 0;
    }

    get description() {
        const {counts, total} = this.state.progress;
        return _t(
            "Recipients: %(total)s. Delivered: %(delivered)s, accepted: %(accepted)s, failed: %(failed)s, cancelled: %(cancelled)s, waiting: %(waiting)s.",
            {
                total: this.number(total),
                ...Object.fromEntries(
                    Object.entries(counts).map(([name, count]) => [
                        name,
                        this.number(count),
                    ])
                ),
            }
        );
    }

    get speed() {
        const {per_minute: perMinute} = this.state.progress;
        return perMinute ? this.number(perMinute) : "–";
    }

    get end() {
        const {expected_end: expected, sent_at: sentAt, counts} = this.state.progress;
        if (counts.waiting && expected) {
            const time = deserializeDateTime(expected);
            return {
                label: _t("Expected end"),
                text: time.toLocaleString(
                    time.hasSame(DateTime.now(), "day")
                        ? DateTime.TIME_SIMPLE
                        : DateTime.DATETIME_SHORT
                ),
                title: time.toRelative(),
            };
        }
        if (!counts.waiting && sentAt) {
            const time = deserializeDateTime(sentAt);
            return {
                label: _t("Last SMS sent"),
                text: formatDateTime(time),
                title: time.toRelative(),
            };
        }
        return {label: _t("Expected end"), text: "–", title: ""};
    }

    get canPause() {
        const {
            paused,
            cancelled,
            can_write: canWrite,
            state,
            counts,
        } = this.state.progress;
        return (
            canWrite &&
            !paused &&
            !cancelled &&
            ["in_queue", "sending"].includes(state) &&
            counts.waiting > 0
        );
    }

    get retryLabel() {
        return _t(
            "Retry those that can be retried (%s)",
            this.number(this.state.progress.retryable)
        );
    }

    get deliveryRate() {
        const {taken, delivered} = this.state.results;
        if (!taken) {
            return "–";
        }
        const rate = (100 * delivered) / taken;
        return `${formatFloat(rate, {digits: [16, Number.isInteger(rate) ? 0 : 1]})} %`;
    }

    /** Half of the SMS, and nine tenths of them, took at most so long. */
    get deliveryTime() {
        const {median, slowest_tenth: slowest} = this.state.results;
        if (median === false) {
            return {half: "–", most: ""};
        }
        return {
            half: this.duration(median),
            most: _t("90% within %s", this.duration(slowest)),
        };
    }

    duration(seconds) {
        const rounded = Math.max(1, Math.round(seconds));
        const [minutes, hours] = [Math.floor(rounded / 60), Math.floor(rounded / 3600)];
        let parts = {seconds: rounded};
        if (hours) {
            parts = {hours, minutes: minutes % 60};
        } else if (minutes) {
            parts = {minutes, seconds: rounded % 60};
        }
        const shown = Object.entries(parts).filter(([, value]) => value);
        return Duration.fromObject(Object.fromEntries(shown)).toHuman({
            unitDisplay: "short",
        });
    }

    /** What was charged, in SMS, and in money where the price of one is known. */
    get costs() {
        const {
            credits,
            cost,
            currency_id: currencyId,
            taken,
            clicks,
        } = this.state.results;
        const line = (name, label, divisor) => {
            const money = (value, digits) =>
                currencyId ? formatMonetary(value, {currencyId, digits}) : "";
            if (!divisor) {
                return {name, label, sms: "–", money: ""};
            }
            return {
                name,
                label,
                sms: _t("%s SMS", this.number(credits / divisor)),
                money: money(cost / divisor, [16, divisor === 1 ? 2 : 3]),
            };
        };
        const lines = [
            line("total", _t("Charged"), 1),
            line("recipient", _t("For each recipient"), taken),
        ];
        if (clicks || this.state.results.has_links) {
            lines.push(line("click", _t("For each click"), clicks));
        }
        return lines;
    }

    /** Countries and senders, where there is more than one to compare. */
    get tables() {
        const {countries, senders} = this.state.results;
        return [
            {name: "country_id", label: _t("Country"), lines: countries},
            {name: "sender_id", label: _t("Sender"), lines: senders},
        ].filter(({lines}) => lines.length > 1);
    }

    /** Figures have decimals only where they need them. */
    number(value) {
        const rounded = Math.round(value * 100) / 100;
        return formatFloat(rounded, {
            digits: [16, Number.isInteger(rounded) ? 0 : 2],
        });
    }

    // ------------------------------------------------------------
    // What is done
    // ------------------------------------------------------------

    async open(method, ...args) {
        const action = await this.orm.call(MODEL, method, [[this.resId], ...args]);
        await this.action.doAction(action);
    }

    /** Call what changes the campaign, and show it at once. */
    async change(method) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            const action = await this.orm.call(MODEL, method, [[this.resId]]);
            if (action && action.type) {
                await this.action.doAction(action);
            }
            await this.load();
        } finally {
            this.state.busy = false;
        }
    }
}

registry.category("view_widgets").add("sms_ovh_progress", {
    component: CampaignProgress,
    fieldDependencies: [{name: "state", type: "selection"}],
});
