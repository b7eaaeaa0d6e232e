// Patches the same widget: its patch has to come first.
import "@mass_mailing_sms/components/sms_widget/fields_sms_widget";
import {
    loadLabels,
    loadUsualFields,
    setFallback,
    writePlaceholder,
} from "./usual_fields.js";
import {reactive, useEffect} from "@odoo/owl";
import {useBus, useService} from "@web/core/utils/hooks";
import {SmsOvhCounter} from "./sms_counter.js";
import {SmsOvhFields} from "./sms_fields.js";
import {SmsOvhPhoneBeside} from "../sms_phone/sms_phone_beside.js";
import {SmsWidget} from "@sms/components/sms_widget/fields_sms_widget";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {session} from "@web/session";
import {useAboveKeyboard} from "./above_keyboard.js";
import {useDebounced} from "@web/core/utils/timing";
import {user} from "@web/core/user";

// Milliseconds without a key after which the record takes over what was typed.
const UPDATE_DELAY = 500;
// Milliseconds without a key after which what stands around the text follows it.
const SHOW_DELAY = 150;
// Where a text is written that recipients read: the phone stands beside it.
const WRITING_MODELS = ["mailing.mailing", "sms.composer", "sms.template"];

let nextId = 1;

SmsWidget.components = {
    ...SmsWidget.components,
    SmsOvhCounter,
    SmsOvhFields,
    SmsOvhPhoneBeside,
};

/**
 * Odoo's widget counts when the field loses focus, by rules that are not OVHcloud's. Where
 * the company sends with OVHcloud, the counter follows each key instead, from the text in
 * the browser; the record, and so the server, follows once typing pauses.
 */
patch(SmsWidget.prototype, {
    setup() {
        super.setup(...arguments);
        this.smsOvhCounterId = `o_sms_ovh_counter_${nextId++}`;
        this.smsOvhState = reactive({text: this.smsOvhValue, undo: null});
        // Follows a moment later: a key costs no rendering of it.
        this.smsOvhShown = reactive({
            text: this.smsOvhValue,
            fields: [],
            labels: [],
        });
        this.smsOvhFieldService = useService("field");
        this.smsOvhShowLater = useDebounced(() => this.smsOvhShow(), SHOW_DELAY);
        this.smsOvhUpdateLater = useDebounced(this.smsOvhUpdateRecord, UPDATE_DELAY);
        this.smsOvhIsTyping = false;
        this.smsOvhIsUpdating = false;
        useEffect(
            () => {
                // After `useInputField`, which puts the record's value in the text area
                // unless something else is being typed.
                this.smsOvhState.text = this.textareaRef.el?.value ?? this.smsOvhValue;
                this.smsOvhShow();
            },
            () => [this.smsOvhValue, this.textareaRef.el, this.props.record.id]
        );
        useEffect(
            () => {
                // Of another record, or one that was sent, nothing is taken back.
                this.smsOvhState.undo = null;
            },
            () => [this.props.record.id, this.props.readonly]
        );
        useEffect(
            (resId) => {
                this.smsOvhLoadPlaceholders(resId);
            },
            () => [this.props.record.resId]
        );
        useEffect(
            (model) => {
                this.smsOvhLoadFields(model);
            },
            () => [this.smsOvhModel]
        );
        useAboveKeyboard(
            () => this.isSmsOvh && this.textareaRef.el,
            () => document.getElementById(this.smsOvhCounterId)
        );
        useBus(this.props.record.model.bus, "NEED_LOCAL_CHANGES", () =>
            this.smsOvhTrim()
        );
    },

    /** @returns {Boolean} whether what is written here is sent with OVHcloud */
    get isSmsOvh() {
        const {data} = this.props.record;
        if ("sms_ovh_in_use" in data) {
            return Boolean(data.sms_ovh_in_use);
        }
        const company = data.sms_ovh_company_id || user.activeCompany;
        return Boolean(
            company && (session.sms_ovh_company_ids || []).includes(company.id)
        );
    },

    /**
     * What `mass_mailing_sms` asks the server about, which it leaves undefined: so it
     * would always get the answer for a campaign that does not exist yet.
     */
    get res_id() {
        return this.isSmsOvh ? this.props.record.resId || false : undefined;
    },

    get smsOvhValue() {
        return this.props.record.data[this.props.name] || "";
    },

    get smsOvhCounterProps() {
        const {data} = this.props.record;
        return {
            id: this.smsOvhCounterId,
            state: this.smsOvhState,
            placeholders: this.linkReplacementsPlaceholders,
            lastLink: data.sms_ovh_last_link || "",
            gsm7: data.sms_ovh_gsm7 || "",
            // What the estimate found holds for the text that it was made of.
            found: data.sms_ovh_estimate_found || null,
            foundText: this.smsOvhValue,
            optOut: Boolean(data.sms_allow_unsubscribe),
            stopClause: Boolean(data.sms_ovh_stop_counted ?? data.sms_ovh_stop_clause),
            readonly: this.props.readonly,
            onReplace: (text) => this.smsOvhRewrite(text),
            onUndo: () => this.smsOvhUndo(),
        };
    },

    get smsOvhPhoneProps() {
        const {placeholders, optOut, gsm7, stopClause} = this.smsOvhCounterProps;
        const sender = this.props.record.data.sms_ovh_sender_id;
        return {
            state: this.smsOvhShown,
            sender: (sender && sender.display_name) || "",
            placeholders,
            optOut,
            gsm7,
            stopClause,
        };
    },

    /** Whether the phone stands beside the text: in forms, not in lists. */
    get smsOvhHasPhone() {
        return (
            this.isSmsOvh &&
            WRITING_MODELS.includes(this.props.record.resModel) &&
            this.env.config?.viewType === "form"
        );
    },

    /** What the text is called, where no label stands beside it. */
    get smsOvhLabel() {
        return this.isSmsOvh && WRITING_MODELS.includes(this.props.record.resModel)
            ? _t("Text of the SMS")
            : null;
    },

    /** The recipients' model, where the text may have fields of theirs. */
    get smsOvhModel() {
        const {data, resModel} = this.props.record;
        if (!this.isSmsOvh) {
            return false;
        }
        if (resModel === "sms.template") {
            return data.model;
        }
        return (
            this.props.dynamicPlaceholder &&
            data[this.props.dynamicPlaceholderModelReferenceField]
        );
    },

    /**
     * The model whose fields the text may name: to one recipient, too, who needs no
     * buttons for what is known of him.
     */
    get smsOvhLabelModel() {
        const {data, resModel} = this.props.record;
        return (
            this.smsOvhModel ||
            (this.isSmsOvh && resModel === "sms.composer" && data.res_model)
        );
    },

    async smsOvhLoadFields(model) {
        const fields = await loadUsualFields(model, this.smsOvhFieldService);
        if (model === this.smsOvhModel) {
            Object.assign(this.smsOvhShown, {fields, labels: fields});
            await this.smsOvhLoadLabels();
        }
    },

    smsOvhShow() {
        this.smsOvhShown.text = this.smsOvhState.text;
        this.smsOvhLoadLabels();
    },

    /** Call the fields in the text by their names, those that have no button, too. */
    async smsOvhLoadLabels() {
        const model = this.smsOvhLabelModel;
        const {text, labels} = this.smsOvhShown;
        const found = await loadLabels(model, text, labels, this.smsOvhFieldService);
        if (found.length && model === this.smsOvhLabelModel) {
            this.smsOvhShown.labels = [...this.smsOvhShown.labels, ...found];
        }
    },

    /** Put a field of the recipient where the cursor is. */
    smsOvhInsert({path}) {
        const {el} = this.textareaRef;
        const {selectionStart: start, selectionEnd: end, value} = el;
        // A word before it, as "Bonjour", is not the name's.
        const isTouching = /[\p{L}\p{N},.;:!?]$/u.test(value.slice(0, start));
        const field = (isTouching ? " " : "") + writePlaceholder(path);
        this.smsOvhSetText(value.slice(0, start) + field + value.slice(end));
        el.setSelectionRange(start + field.length, start + field.length);
    },

    /** Write something else for recipients in whom a field is empty. */
    smsOvhSetFallback({path}, fallback) {
        this.smsOvhSetText(setFallback(this.textareaRef.el.value, path, fallback));
    },

    /** Ask again once a new campaign has got its id, whose length counts. */
    async smsOvhLoadPlaceholders(resId) {
        if (this.smsOvhResId === undefined) {
            this.smsOvhResId = resId;
        }
        if (!this.linkReplacementsPlaceholders || this.smsOvhResId === resId) {
            return;
        }
        this.smsOvhResId = resId;
        this.linkReplacementsPlaceholders = await this.orm.call(
            "mailing.mailing",
            "get_sms_link_replacements_placeholders",
            [resId]
        );
        this.render();
    },

    /**
     * @override
     * A space at the end of what is being typed is kept until typing ends.
     */
    parse(value) {
        return this.smsOvhIsTyping ? value : super.parse(value);
    },

    onSmsOvhInput() {
        if (!this.isSmsOvh) {
            return;
        }
        this.smsOvhState.text = this.textareaRef.el?.value ?? this.smsOvhValue;
        this.smsOvhState.undo = null;
        this.smsOvhShowLater();
        this.smsOvhUpdateLater();
    },

    /**
     * @override
     */
    async onBlur() {
        if (this.isSmsOvh && this.textareaRef.el) {
            // The browser says nothing of a change that was taken back by hand, though
            // the record may have seen it.
            this.smsOvhUpdateLater.cancel();
            this.textareaRef.el.dispatchEvent(new Event("change"));
            this.smsOvhTrim();
        }
        return super.onBlur();
    },

    /**
     * Have the record take the text over, the way it does when the field loses focus:
     * `useInputField` has to know, since it protects what is not taken over yet.
     */
    async smsOvhUpdateRecord() {
        const {el} = this.textareaRef;
        if (!el || this.smsOvhIsUpdating) {
            return;
        }
        const value = el.value;
        this.smsOvhIsUpdating = true;
        this.smsOvhIsTyping = true;
        try {
            el.dispatchEvent(new Event("change"));
        } finally {
            this.smsOvhIsTyping = false;
        }
        // What is typed meanwhile waits: an answer would write over it otherwise.
        await this.props.record.model.mutex.getUnlockedDef();
        this.smsOvhIsUpdating = false;
        if (this.textareaRef.el && this.textareaRef.el.value !== value) {
            this.smsOvhUpdateLater();
        }
    },

    /** Remove the spaces that typing has left at the ends of a text that has none. */
    smsOvhTrim() {
        const {el} = this.textareaRef;
        if (this.isSmsOvh && el && this.parse(el.value) !== el.value) {
            // Not by `smsOvhSetText`, which would take the focus back.
            el.value = this.parse(el.value);
            el.dispatchEvent(new InputEvent("input", {bubbles: true}));
            this.smsOvhUpdateLater.cancel();
            el.dispatchEvent(new Event("change"));
        }
    },

    /**
     * Write a text in the text area, as if the user had, and in the record: Ctrl+Z takes
     * it back.
     */
    smsOvhSetText(text) {
        const {el} = this.textareaRef;
        el.focus();
        el.select();
        // Deprecated, and the only way into the browser's own history.
        const isWritten = text
            ? document.execCommand("insertText", false, text)
            : document.execCommand("delete");
        if (!isWritten || el.value !== text) {
            el.value = text;
            el.dispatchEvent(new InputEvent("input", {bubbles: true}));
        }
        this.smsOvhUpdateLater.cancel();
        el.dispatchEvent(new Event("change"));
    },

    /** Write a better text, and keep what it was. */
    smsOvhRewrite(after) {
        const {el} = this.textareaRef;
        if (!el || this.props.readonly) {
            return;
        }
        const before = el.value;
        const fromEnd = before.length - el.selectionEnd;
        this.smsOvhSetText(after);
        const caret = Math.max(0, after.length - fromEnd);
        el.setSelectionRange(caret, caret);
        this.smsOvhState.undo = {before, after};
    },

    smsOvhUndo() {
        if (this.textareaRef.el && this.smsOvhState.undo) {
            this.smsOvhSetText(this.smsOvhState.undo.before);
        }
    },
});
