import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {splitPlaceholders} from "./usual_fields.js";

/**
 * Buttons that put a field of the recipient into the text, and what is written instead
 * for recipients in whom it is empty.
 */
export class SmsOvhFields extends Component {
    static template = "sms_ovh.SmsFields";
    static props = {
        // Reactive: `text`, a moment after it was typed, `fields` that have a button,
        // and `labels` of those in the text.
        state: Object,
        onInsert: Function,
        onFallback: Function,
    };

    setup() {
        this.state = useState(this.props.state);
        // In a template the no-break spaces of a translation become plain ones.
        this.whereEmpty = _t(", where it is empty:");
    }

    /** The fields that the text has, each once. */
    get used() {
        const used = new Map();
        for (const piece of splitPlaceholders(this.state.text, this.state.labels)) {
            if (piece.path && !used.has(piece.path)) {
                used.set(piece.path, piece);
            }
        }
        return [...used.values()];
    }
}
