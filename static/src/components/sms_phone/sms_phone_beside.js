import {Component, useState} from "@odoo/owl";
import {STOP_CLAUSE, splitSegments} from "../../sms_segments.js";
import {getTextAsSent, hasPlaceholders} from "../sms_counter/text_as_sent.js";
import {splitPlaceholders} from "../sms_counter/usual_fields.js";
import {useService} from "@web/core/utils/hooks";

/** The phone beside a text: what is being written, as it will be read. */
export class SmsOvhPhoneBeside extends Component {
    static template = "sms_ovh.PhoneBeside";
    static props = {
        // Reactive: `text`, a moment after it was typed, and `fields`.
        state: Object,
        sender: {type: String, optional: true},
        placeholders: {type: [Object, {value: null}], optional: true},
        optOut: {type: Boolean, optional: true},
        gsm7: {type: String, optional: true},
        stopClause: {type: Boolean, optional: true},
    };

    setup() {
        this.state = useState(this.props.state);
        // On a phone the text comes first: this one is opened by who wants to see it.
        this.isOpen = !useService("ui").isSmall;
    }

    /** What the phone shows: of each part of a long SMS, pieces of text and fields. */
    get parts() {
        const {placeholders, optOut, gsm7, stopClause} = this.props;
        const sent = getTextAsSent(this.state.text, placeholders, optOut, gsm7);
        if (!sent) {
            return [];
        }
        if (!hasPlaceholders(sent)) {
            return splitSegments(sent, {stopClause}).map((text) => [{text}]);
        }
        // Where a part ends depends on the recipient.
        const pieces = splitPlaceholders(sent, this.state.labels);
        return [stopClause ? [...pieces, {text: STOP_CLAUSE}] : pieces];
    }
}
