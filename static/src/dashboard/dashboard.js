import {Component, onWillStart, useState} from "@odoo/owl";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {DashboardChart} from "./dashboard_chart";
import {KeepLast} from "@web/core/utils/concurrency";
import {Layout} from "@web/search/layout";
import {_t} from "@web/core/l10n/translation";
import {formatFloat} from "@web/core/utils/numbers";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useService} from "@web/core/utils/hooks";
import {useSetupAction} from "@web/search/action_hook";

const {DateTime} = luxon;

const STATUSES = {
    waitingValidation: {class: "text-bg-warning", label: _t("Waiting for Validation")},
    refused: {class: "text-bg-danger", label: _t("Refused")},
};

/** The figures of OVHcloud accounts: what is left, what this month came to. */
export class SmsOvhDashboard extends Component {
    static template = "sms_ovh.Dashboard";
    static components = {DashboardChart, Layout};
    static props = {...standardActionServiceProps};

    setup() {
        this.action = useService("action");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.display = {controlPanel: {}};
        const kept = this.props.state || this.props.action.params || {};
        this.state = useState({
            accountId: kept.account_id || false,
            senderId: kept.sender_id || false,
            data: null,
            refreshing: false,
        });
        useSetupAction({
            getLocalState: () => ({
                account_id: this.state.accountId,
                sender_id: this.state.senderId,
            }),
        });
        onWillStart(() => this.load());
    }

    async load() {
        const data = await this.keepLast.add(
            this.orm.call("sms.ovh.account", "get_sms_ovh_dashboard", [], {
                account_id: this.state.accountId,
                sender_id: this.state.senderId,
            })
        );
        // What was chosen may be gone.
        this.state.accountId = data.account_id;
        this.state.senderId = data.sender_id;
        this.state.data = data;
    }

    // ------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------

    get data() {
        return this.state.data;
    }

    get accounts() {
        const {accounts, account_id: id} = this.data;
        return id ? accounts.filter((account) => account.id === id) : accounts;
    }

    get monthName() {
        const name = DateTime.fromISO(this.data.month).toLocaleString({
            month: "long",
            year: "numeric",
        });
        return name.charAt(0).toUpperCase() + name.slice(1);
    }

    get tiles() {
        const {sent, received, planned, failed, credits} = this.data.tiles;
        return [
            {
                name: "sent",
                icon: "fa-paper-plane-o",
                label: _t("SMS Sent"),
                note: _t("Delivered: %s", this.number(sent.delivered)),
                ...sent,
            },
            {
                name: "received",
                icon: "fa-inbox",
                label: _t("SMS Received"),
                note: this.data.sender_id ? _t("Whichever the sender") : _t("Replies"),
                ...received,
            },
            {
                name: "planned",
                icon: "fa-clock-o",
                label: _t("SMS Planned"),
                note: planned.campaigns
                    ? _t("Campaigns to start: %s", this.number(planned.campaigns))
                    : _t("Waiting to be sent"),
                ...planned,
            },
            {
                name: "failed",
                icon: "fa-exclamation-triangle",
                label: _t("SMS Failed"),
                note: _t("Refused by OVHcloud: %s", this.number(failed.refused)),
                ...failed,
            },
            {
                name: "credits",
                icon: "fa-credit-card",
                label: _t("SMS Charged"),
                note: _t("Credits used"),
                ...credits,
            },
        ];
    }

    get queue() {
        const {queued, posting, unknown} = this.data.queue;
        const rows = [
            {name: "queued", label: _t("Waiting"), ...queued},
            {name: "posting", label: _t("Being sent"), ...posting},
            {name: "unknown", label: _t("Not confirmed by OVHcloud"), ...unknown},
        ];
        return rows.filter((row) => row.jobs);
    }

    /** Figures have decimals only where they need them. */
    number(value) {
        return formatFloat(value, {digits: [16, Number.isInteger(value) ? 0 : 2]});
    }

    recharge(account) {
        if (!account.recharge) {
            return _t("Off");
        }
        const {amount, threshold} = account.recharge;
        return _t("%(amount)s SMS below %(threshold)s", {
            amount: this.number(amount),
            threshold: this.number(threshold),
        });
    }

    sync(account) {
        if (!account.last_sync) {
            return {text: _t("Never"), title: ""};
        }
        const time = deserializeDateTime(account.last_sync);
        return {text: time.toRelative(), title: formatDateTime(time)};
    }

    status(sender) {
        return STATUSES[sender.status];
    }

    // ------------------------------------------------------------
    // What is done
    // ------------------------------------------------------------

    async chooseAccount(ev) {
        this.state.accountId = Number(ev.target.value) || false;
        this.state.senderId = false;
        await this.load();
    }

    async chooseSender(ev) {
        this.state.senderId = Number(ev.target.value) || false;
        await this.load();
    }

    open(action) {
        return this.action.doAction(action);
    }

    /** Read the accounts shown from OVHcloud again. */
    async refresh() {
        this.state.refreshing = true;
        try {
            const ids = this.accounts.map((account) => account.id);
            await this.orm.call("sms.ovh.account", "action_synchronise", [ids]);
            await this.load();
        } finally {
            this.state.refreshing = false;
        }
        const failed = this.accounts.filter((account) => account.state === "error");
        for (const account of failed) {
            this.notification.add(account.state_message, {
                title: account.service_name,
                type: "danger",
            });
        }
        if (!failed.length) {
            this.notification.add(_t("Read from OVHcloud just now."), {
                type: "success",
            });
        }
    }
}

registry.category("actions").add("sms_ovh.dashboard", SmsOvhDashboard);
