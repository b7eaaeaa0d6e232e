import {CharField, charField} from "@web/views/fields/char/char_field";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useState} from "@odoo/owl";

// `MAX_SENDER_LENGTH` of const.py.
export const MAX_SENDER_LENGTH = 11;

/**
 * What keeps a name from being a sender of OVHcloud; the server checks the same on
 * requesting.
 *
 * @param {String} name
 * @returns {String} a sentence, empty where the name is right or there is none yet
 */
export function getSenderMistake(name) {
    if (!name) {
        return "";
    }
    const wrong = name.match(/[^A-Za-z0-9]/u);
    if (wrong) {
        return /\s/u.test(wrong[0])
            ? _t("No spaces: only letters without accents and digits.")
            : _t("Not “%s”: only letters without accents and digits.", wrong[0]);
    }
    if (name.length > MAX_SENDER_LENGTH) {
        return _t("Too long by %s.", name.length - MAX_SENDER_LENGTH);
    }
    return /^\d+$/.test(name) ? _t("Not digits only: add a letter.") : "";
}

/** The name of a sender to request, whose rule is checked with each key. */
export class SenderNameField extends CharField {
    static template = "sms_ovh.SenderNameField";

    setup() {
        super.setup();
        this.typed = useState({name: this.props.record.data[this.props.name] || ""});
    }

    get mistake() {
        return getSenderMistake(this.typed.name.trim());
    }

    get rule() {
        return _t("Letters and digits: %(count)s of %(max)s", {
            count: this.typed.name.trim().length,
            max: MAX_SENDER_LENGTH,
        });
    }

    onInput(ev) {
        this.typed.name = ev.target.value;
    }
}

registry.category("fields").add("sms_ovh_sender_name", {
    ...charField,
    component: SenderNameField,
    supportedTypes: ["char"],
});
