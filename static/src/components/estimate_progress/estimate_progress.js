import {Component, onWillUnmount, useEffect} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

// Milliseconds between two looks at an estimate that is being computed.
export const LOOK_EVERY = 1500;

/** How far an estimate has come; the form follows until it is there. */
export class SmsOvhEstimateProgress extends Component {
    static template = "sms_ovh.EstimateProgress";
    static props = {...standardWidgetProps};

    setup() {
        useEffect(
            (isRunning) => {
                if (isRunning) {
                    this.lookLater();
                }
            },
            () => [this.isRunning]
        );
        onWillUnmount(() => {
            this.isGone = true;
            clearTimeout(this.timer);
        });
    }

    get data() {
        return this.props.record.data;
    }

    get isRunning() {
        return this.data.state === "running";
    }

    get percent() {
        const {treated, total} = this.data;
        return total ? Math.floor((100 * treated) / total) : 0;
    }

    get label() {
        const {treated, total} = this.data;
        return _t("Recipients looked at: %(treated)s of %(total)s", {treated, total});
    }

    lookLater() {
        this.timer = setTimeout(() => this.look(), LOOK_EVERY);
    }

    async look() {
        try {
            // What the user is choosing, such as a date, must not be lost.
            await this.props.record.save({reload: false});
            await this.props.record.load();
        } finally {
            if (!this.isGone && this.isRunning) {
                this.lookLater();
            }
        }
    }
}

registry.category("view_widgets").add("sms_ovh_estimate_progress", {
    component: SmsOvhEstimateProgress,
    fieldDependencies: [
        {name: "state", type: "selection"},
        {name: "total", type: "integer"},
        {name: "treated", type: "integer"},
    ],
});
