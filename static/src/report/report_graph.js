import {GraphRenderer} from "@web/views/graph/graph_renderer";
import {OUTCOME_COLORS} from "../dashboard/dashboard_chart";
import {graphView} from "@web/views/graph/graph_view";
import {registry} from "@web/core/registry";

/** The analysis' graph, in which an outcome has the colour that it has everywhere. */
export class ReportGraphRenderer extends GraphRenderer {
    /** @returns {Object} colour by the label of the state */
    get stateColors() {
        const {selection = []} = this.model.metaData.fields.state || {};
        return Object.fromEntries(
            selection.map(([name, label]) => [label, OUTCOME_COLORS[name]])
        );
    }

    getColorOf(label) {
        const colors = this.stateColors;
        // Groups of groups are named one after the other.
        const name = String(label)
            .split(" / ")
            .find((part) => colors[part]);
        return colors[name];
    }

    /**
     * @override
     */
    getBarChartData() {
        const data = super.getBarChartData();
        for (const dataset of data.datasets) {
            dataset.backgroundColor =
                this.getColorOf(dataset.label) || dataset.backgroundColor;
        }
        return data;
    }

    /**
     * @override
     */
    getLineChartData() {
        const data = super.getLineChartData();
        for (const dataset of data.datasets) {
            const color = this.getColorOf(dataset.label);
            if (color) {
                dataset.borderColor = color;
                dataset.pointBackgroundColor = color;
            }
        }
        return data;
    }

    /**
     * @override
     */
    getPieChartData() {
        const data = super.getPieChartData();
        for (const dataset of data.datasets) {
            dataset.backgroundColor = dataset.backgroundColor.map(
                (color, index) => this.getColorOf(data.labels[index]) || color
            );
        }
        return data;
    }
}

registry.category("views").add("sms_ovh_report_graph", {
    ...graphView,
    Renderer: ReportGraphRenderer,
});
