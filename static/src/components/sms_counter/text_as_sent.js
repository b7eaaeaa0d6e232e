/**
 * The text of an SMS as Odoo sends it, as far as lengths go: links become those of the
 * link tracker, and the opt-out link is appended.
 *
 * Twin of `get_text_as_sent` in `models/sms_ovh_counter_mixin.py`: the figures of a form
 * and those under its text agree because both read a text alike. So white space and
 * letters are Python's here, not JavaScript's.
 */

// Another opening inside a placeholder starts a new one, which keeps the search linear.
const PLACEHOLDER = "\\{\\{(?:(?!\\{\\{)[^\\n])+?\\}\\}";
const URL_SOURCE =
    `https?:\\/\\/(?:[\\p{L}\\p{N}_@:%.+&~#=\\/\\-]|${PLACEHOLDER})+` +
    `(?:\\?(?:${PLACEHOLDER}|[^\\s\\x1c-\\x1f\\x85]|\\ufeff)+)?`;
const URLS = new RegExp(URL_SOURCE, "gu");
const PLACEHOLDERS = new RegExp(PLACEHOLDER, "u");

/**
 * @typedef {Object} LinkPlaceholders what links are replaced with, as
 *  `get_sms_link_replacements_placeholders` of `mailing.mailing` gives it
 * @property {String} link
 * @property {String} unsubscribe
 */

/**
 * @param {String} text the text as written
 * @param {LinkPlaceholders|null} [placeholders] null where links are sent as they are
 * @param {Boolean} [optOut] whether the opt-out link is appended
 * @returns {String}
 */
export function getTextAsSent(text, placeholders, optOut) {
    if (!text || !placeholders) {
        return text || "";
    }
    const {link, unsubscribe} = placeholders;
    const baseUrl = link.slice(0, link.lastIndexOf("/r/"));
    const visitor = link.slice(link.lastIndexOf("/s/"));
    const sent = text.replace(URLS, (url) => {
        if (url.startsWith(`${baseUrl}/r/`)) {
            return url + visitor;
        }
        return url.startsWith(`${baseUrl}/sms/`) ? url : link;
    });
    return optOut ? sent + unsubscribe : sent;
}

/**
 * @param {String} text
 * @returns {{start: Number, end: Number}[]} where the links of the text are
 */
export function getLinks(text) {
    return [...text.matchAll(URLS)].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
    }));
}

/**
 * @param {String} text
 * @returns {Boolean} whether something in it differs from one recipient to the next
 */
export function hasPlaceholders(text) {
    return PLACEHOLDERS.test(text);
}
