import {Component, onWillStart, useEffect, useRef} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {cookie} from "@web/core/browser/cookie";
import {formatFloat} from "@web/core/utils/numbers";
import {getCustomColor} from "@web/core/colors/colors";
import {loadBundle} from "@web/core/assets";

const {DateTime, Settings} = luxon;

/** Outcomes from the best to the worst, so that what went wrong ends each bar. */
const OUTCOMES = [
    {name: "delivered", label: _t("Delivered"), color: "#00A78D"},
    {name: "pending", label: _t("On the Way"), color: "#4EA7F2"},
    {name: "failed", label: _t("Failed"), color: "#CE4257"},
    {name: "refused", label: _t("Refused"), color: "#F4A261"},
];
/** By the states of the log, for other charts of the same. */
export const OUTCOME_COLORS = {
    sent: OUTCOMES[0].color,
    pending: OUTCOMES[1].color,
    error: OUTCOMES[2].color,
    refused: OUTCOMES[3].color,
    canceled: "#8A8D93",
};
const CREDITS_COLOR = "#8481DD";

/** SMS a day by outcome, and what they cost: a chart, and the same as a table. */
export class DashboardChart extends Component {
    static template = "sms_ovh.DashboardChart";
    static props = {days: {type: Array}};

    setup() {
        this.outcomes = OUTCOMES;
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = new Chart(this.canvas.el, this.getConfig());
                return () => chart.destroy();
            },
            () => [this.props.days]
        );
    }

    get columns() {
        return [...OUTCOMES, {name: "credits", label: _t("SMS Charged")}];
    }

    /** The latest days first: what a reader of the table looks for. */
    get rows() {
        return [...this.props.days].reverse();
    }

    get description() {
        const total = (name) =>
            this.number(this.props.days.reduce((sum, day) => sum + day[name], 0));
        return _t(
            "Last %(days)s days: SMS delivered: %(delivered)s, on the way: %(pending)s, failed: %(failed)s, refused: %(refused)s; credits charged: %(credits)s. The table below has each day.",
            {
                days: this.props.days.length,
                delivered: total("delivered"),
                pending: total("pending"),
                failed: total("failed"),
                refused: total("refused"),
                credits: total("credits"),
            }
        );
    }

    number(value) {
        return formatFloat(value, {digits: [16, Number.isInteger(value) ? 0 : 2]});
    }

    dayName(day, format = {day: "numeric", month: "short"}) {
        return DateTime.fromISO(day).toLocaleString(format);
    }

    getConfig() {
        const {days} = this.props;
        const scheme = cookie.get("color_scheme");
        const gridColor = getCustomColor(scheme, "#d8dadd", "#3C3E4B");
        const textColor = getCustomColor(scheme, "#495057", "#E4E4E4");
        const bars = OUTCOMES.map(({name, label, color}) => ({
            backgroundColor: color,
            data: days.map((day) => day[name]),
            label: label.toString(),
            order: 1,
            stack: "sms",
            yAxisID: "sms",
        }));
        const credits = {
            backgroundColor: CREDITS_COLOR,
            borderColor: CREDITS_COLOR,
            borderWidth: 2,
            data: days.map((day) => day.credits),
            label: _t("SMS Charged").toString(),
            order: 0,
            pointRadius: 0,
            pointHitRadius: 8,
            type: "line",
            // The same unit, so the same scale: one SMS to France is one charged.
            yAxisID: "sms",
        };
        return {
            type: "bar",
            data: {
                labels: days.map(({day}) => this.dayName(day)),
                datasets: [...bars, credits],
            },
            options: {
                animation: false,
                interaction: {intersect: false, mode: "index"},
                locale: Settings.defaultLocale,
                maintainAspectRatio: false,
                plugins: {
                    legend: {
                        labels: {boxHeight: 10, boxWidth: 10, color: textColor},
                        position: "bottom",
                    },
                },
                scales: {
                    x: {
                        grid: {display: false},
                        stacked: true,
                        ticks: {color: textColor, maxRotation: 0},
                    },
                    sms: {
                        beginAtZero: true,
                        grid: {color: gridColor},
                        stacked: true,
                        suggestedMax: 4,
                        ticks: {color: textColor, precision: 0},
                    },
                },
            },
        };
    }
}
