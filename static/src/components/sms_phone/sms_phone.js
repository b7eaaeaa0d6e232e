import {Component} from "@odoo/owl";
import {UNICODE} from "../../sms_segments.js";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** An SMS as a phone shows it, and arrows to the recipients before and after. */
export class SmsOvhPhoneField extends Component {
    static template = "sms_ovh.PhoneField";
    static props = {...standardFieldProps};

    get content() {
        return this.props.record.data[this.props.name] || {parts: []};
    }

    /** In a template the no-break spaces of a translation become plain ones. */
    get refusal() {
        return [_t("Gets nothing:"), this.content.reason].join(" ");
    }

    get position() {
        return this.props.record.data.position;
    }

    get count() {
        return this.props.record.data.count;
    }

    get summary() {
        const {segments, units, encoding} = this.content;
        return [
            _t("%(segments)s SMS", {segments}),
            encoding === UNICODE ? _t("Unicode") : _t("GSM-7"),
            _t("Characters: %(units)s", {units}),
        ].join(" · ");
    }

    /**
     * @param {Number} index of a part
     * @returns {{text: String, original: String|undefined}[]} what it shows, cut where a
     *  letter was written in GSM-7
     */
    getPieces(index) {
        return this.content.pieces?.[index] || [{text: this.content.parts[index]}];
    }

    /** @returns {String} what was written in GSM-7, in words; empty where nothing was */
    get replaced() {
        const pairs = (this.content.pieces || [])
            .flat()
            .filter(({original}) => original)
            .map(({text, original}) => `${original} → ${text}`);
        return pairs.length
            ? _t("Written in GSM-7: %(pairs)s", {pairs: [...new Set(pairs)].join(", ")})
            : "";
    }

    getEnd(index) {
        return _t("End of SMS %(index)s of %(total)s", {
            index: index + 1,
            total: this.content.parts.length,
        });
    }

    async go(step) {
        // From a record that is no recipient, to the first one.
        const position = this.position ? this.position + step : 1;
        if (position >= 1 && position <= this.count) {
            await this.props.record.update({position});
        }
    }
}

registry.category("fields").add("sms_ovh_phone", {
    component: SmsOvhPhoneField,
    supportedTypes: ["json"],
    fieldDependencies: [
        {name: "position", type: "integer"},
        {name: "count", type: "integer"},
    ],
});
