/**
 * The text of an SMS as Odoo sends it, as far as lengths go: links become those of the
 * link tracker, and the opt-out link is appended.
 *
 * Twin of `get_text_as_sent` in `mixins/sms_ovh_counter_mixin.py`: the figures of a form
 * and those under its text agree because both read a text alike.
 */

import {PLACEHOLDER, replaceLinks} from "../../links.js";
import {isBlank, isGsm7} from "../../sms_segments.js";
import {toGsm7} from "../../gsm7.js";

const PLACEHOLDERS = new RegExp(PLACEHOLDER, "u");

/**
 * @typedef {Object} LinkPlaceholders what links are replaced with, as
 *  `get_sms_link_replacements_placeholders` of `mailing.mailing` gives it
 * @property {String} link
 * @property {String} unsubscribe
 */

/**
 * @param {String} text the text as written
 * @param {LinkPlaceholders} placeholders
 * @param {Boolean} [optOut] whether the opt-out link is appended
 * @returns {String}
 */
function shortenLinks(text, placeholders, optOut) {
    const {link, unsubscribe} = placeholders;
    const baseUrl = link.slice(0, link.lastIndexOf("/r/"));
    const visitor = link.slice(link.lastIndexOf("/s/"));
    const sent = replaceLinks(text, (url) => {
        if (url.startsWith(`${baseUrl}/r/`)) {
            const code = url.slice(`${baseUrl}/r/`.length);
            return code && !/[/?#]/.test(code) ? url + visitor : url;
        }
        return url.startsWith(`${baseUrl}/sms/`) ? url : link;
    });
    return optOut ? sent + unsubscribe : sent;
}

/**
 * @param {String} text the text as written
 * @param {LinkPlaceholders|null} [placeholders] null where links are sent as they are
 * @param {Boolean} [optOut] whether the opt-out link is appended
 * @param {String} [gsm7] what is written in GSM-7: "off", "placeholders" or "all"
 * @returns {String} empty where nobody could read anything: that is not sent
 */
export function getTextAsSent(text, placeholders, optOut, gsm7) {
    if (isBlank(text)) {
        return "";
    }
    const sent = placeholders ? shortenLinks(text, placeholders, optOut) : text;
    if (gsm7 !== "all" || isGsm7(sent)) {
        return sent;
    }
    // Only where all of it becomes GSM-7: otherwise it is sent as it is.
    const written = toGsm7(sent).text;
    return isGsm7(written) ? written : sent;
}

/**
 * @param {String} text
 * @returns {Boolean} whether something in it differs from one recipient to the next
 */
export function hasPlaceholders(text) {
    return PLACEHOLDERS.test(text);
}
