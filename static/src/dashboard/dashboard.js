import {Component, onWillStart, useState} from "@odoo/owl";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {DashboardChart} from "./dashboard_chart";
import {KeepLast} from "@web/core/utils/concurrency";
import {Layout} from "@web/search/layout";
import {_t} from "@web/core/l10n/translation";
import {formatFloat} from "@web/core/utils/numbers";
import {formatMonetary} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useService} from "@web/core/utils/hooks";
import {useSetupAction} from "@web/search/action_hook";

const {DateTime} = luxon;

const STATUSES = [
    {name: "waitingValidation", label: _t("Waiting for Validation"), class: "warning"},
    {name: "refused", label: _t("Refused"), class: "danger"},
];

/** What users come for, in the order in which they do: each is one click. */
const WISHES = [
    {name: "sms", icon: "fa-comment-o", label: _t("Send an SMS")},
    {name: "campaign", icon: "fa-bullhorn", label: _t("Write a campaign")},
    {name: "replies", icon: "fa-reply", label: _t("See the Replies")},
    {name: "buy", icon: "fa-shopping-cart", label: _t("Buy SMS at OVHcloud")},
    {name: "sender", icon: "fa-id-badge", label: _t("Request a Sender")},
    {name: "user", icon: "fa-key", label: _t("Create an API user")},
    {name: "numbers", icon: "fa-eraser", label: _t("Clean the numbers of a list")},
    {name: "connect", icon: "fa-plug", label: _t("Connect an Account")},
];

/** What is to be done before the first SMS: the button is one of the wishes. */
const STEPS = {
    use: {
        title: _t("Choose this account for your company"),
        help: _t(
            "The company then sends its SMS with it. A system administrator does it in the settings."
        ),
        label: _t("Open the Account"),
    },
    sender: {
        title: _t("Have a sender enabled"),
        help: _t("The name that recipients see. OVHcloud checks it within 72 hours."),
        label: _t("Request a Sender"),
        wish: "sender",
    },
    send: {
        title: _t("Send your first SMS"),
        help: _t("Figures and charts are shown here afterwards."),
        label: _t("Write a campaign"),
        wish: "campaign",
    },
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
            this.orm.call("sms.ovh.dashboard", "get_figures", [], {
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

    /** In a template the no-break spaces of a translation become plain ones. */
    getStopped(account) {
        return [_t("Sending is stopped and SMS wait:"), account.pause_message].join(
            " "
        );
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
                note: credits.cost
                    ? this.money(credits.cost, credits.currency_id)
                    : _t("Credits used"),
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

    get wishes() {
        const {wishes = [], create_action: create} = this.data;
        const found = Object.fromEntries(wishes.map((wish) => [wish.name, wish]));
        if (create) {
            found.connect = {action: create};
        }
        return WISHES.filter(({name}) => found[name]).map((wish) => ({
            ...wish,
            ...found[wish.name],
        }));
    }

    /**
     * @param {Object|false} packs what OVHcloud asks for SMS
     * @returns {String[]} the smallest pack, and an SMS of the cheapest
     */
    packPrices(packs) {
        if (!packs) {
            return [];
        }
        const prices = [
            _t("%(count)s SMS: %(price)s", {
                count: this.number(packs.credits),
                price: this.money(packs.price, packs.currency_id),
            }),
        ];
        if (packs.large_credits > packs.credits) {
            prices.push(
                _t("from %(count)s SMS: %(price)s each", {
                    count: this.number(packs.large_credits),
                    price: formatMonetary(packs.large_credit_price, {
                        currencyId: packs.currency_id,
                        // Hundredths of a cent are what packs differ by.
                        digits: [16, 4],
                    }),
                })
            );
        }
        return prices;
    }

    /** What is to be done first, where something is; the others wait for it. */
    get steps() {
        return (this.data.steps || []).map((name, index) => {
            const step = STEPS[name];
            const wish = this.wishes.find((found) => found.name === step.wish);
            const action = step.wish ? wish && wish.action : this.accounts[0].action;
            return {...step, name, action: index === 0 && action};
        });
    }

    /** Whether nothing was ever sent: figures would be nothing but zeros. */
    get isNew() {
        return (this.data.steps || []).includes("send");
    }

    /**
     * @param {Object} account
     * @returns {Object|null} what is wrong with its connection, and what cures it
     */
    notice(account) {
        const {state, state_message: message} = account;
        const open = {
            label: _t("Open the Account"),
            press: () => this.open(account.action),
        };
        const ask = account.can_write
            ? ""
            : _t("Ask an administrator of OVHcloud SMS to look at it.");
        let cure = account.can_write ? open : null;
        if (["refused", "expired", "pending"].includes(state) && account.can_connect) {
            cure = {
                label: _t("Connect with OVHcloud again"),
                press: () =>
                    this.press({method: "action_connect", account_id: account.id}),
            };
        }
        switch (state) {
            case "refused":
                return {
                    kind: "danger",
                    text: message || _t("OVHcloud refuses this account's keys."),
                    ask,
                    cure,
                };
            case "expired":
                return {
                    kind: "danger",
                    text: message || _t("The connection with OVHcloud has expired"),
                    ask,
                    cure,
                };
            case "pending":
                return {
                    kind: "warning",
                    text:
                        message ||
                        _t("The connection waits for approval on OVHcloud's page."),
                    ask,
                    cure,
                };
            case "error":
                return {
                    kind: "danger",
                    text: message || _t("OVHcloud could not be read."),
                    ask: "",
                    cure: {label: _t("Try again"), press: () => this.refresh()},
                };
            case "draft":
                return {
                    kind: "info",
                    text: message || _t("This account is not connected."),
                    ask,
                    cure,
                };
        }
        return null;
    }

    /** What the SMS left are worth, where the price of one is known. */
    worth(account) {
        return account.price
            ? this.money(account.credits_left * account.price, account.currency_id)
            : "";
    }

    money(value, currencyId) {
        return formatMonetary(value, {currencyId});
    }

    /** Figures have decimals only where they need them. */
    number(value) {
        return formatFloat(value, {digits: [16, Number.isInteger(value) ? 0 : 2]});
    }

    recharge(account) {
        if (!account.recharge) {
            return _t("Switched Off");
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
        return STATUSES.find(({name}) => name === sender.status);
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

    async open(action) {
        if (action.method) {
            return this.press(action);
        }
        return this.action.doAction(action, {onClose: () => this.load()});
    }

    /** Press a button of an account's form. */
    async press({method, account_id: accountId}) {
        const action = await this.orm.call("sms.ovh.account", method, [[accountId]]);
        if (action && action.type) {
            await this.action.doAction(action, {onClose: () => this.load()});
        }
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
        const read = this.accounts.filter(({auth_method: way}) => way !== "http2sms");
        const failed = read.filter((account) => account.state !== "connected");
        for (const account of failed) {
            this.notification.add(this.notice(account).text, {
                title: account.name,
                type: "danger",
            });
        }
        if (read.length && !failed.length) {
            this.notification.add(_t("Read from OVHcloud just now."), {
                type: "success",
            });
        } else if (!read.length) {
            this.notification.add(
                _t(
                    "With an API user's login OVHcloud tells the SMS left after each SMS only."
                ),
                {type: "info"}
            );
        }
    }
}

registry.category("actions").add("sms_ovh.dashboard", SmsOvhDashboard);
