/**
 * Count what an SMS is made of: its encoding, its units, its parts.
 *
 * Twin of `tools/sms_segments.py`: `static/tests/sms_segments_vectors.js` holds the
 * cases that both must agree on. No imports, so that any ES module loader takes it.
 *
 * Sources of the rules:
 * - 3GPP TS 23.038, section 6.2.1 (the GSM 7 bit default alphabet and its extension
 *   table) and section 6.2.3 (UCS2, which networks carry as UTF-16);
 * - 3GPP TS 23.040, section 9.2.3.24.1 (a part of a concatenated message gives 6 of
 *   its 140 octets to the header that links the parts, which leaves 153 septets or 67
 *   code units of 160 or 70).
 *
 * National shift tables are not used and the text is not normalised.
 */

export const GSM7 = "GSM7";
export const UNICODE = "UNICODE";

/**
 * The GSM 7 bit default alphabet (3GPP TS 23.038, section 6.2.1), 1 septet each. The
 * escape, 0x1B, is left out: it announces an extension character and is none itself.
 */
export const GSM7_BASIC =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ" +
    " !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
    "¿abcdefghijklmnopqrstuvwxyzäöñüà";

/**
 * The extension table (3GPP TS 23.038, section 6.2.1.1), 2 septets each: the escape,
 * then the character.
 */
export const GSM7_EXTENSION = "\f^{}\\[~]|€";

/** Units in a message of one part, and in each part of a longer one. */
export const GSM7_SINGLE = 160;
export const GSM7_MULTI = 153;
export const UNICODE_SINGLE = 70;
export const UNICODE_MULTI = 67;

/** Parts that OVHcloud accepts in one message: 918 septets or 402 code units. */
export const MAX_SEGMENTS = 6;

/**
 * What OVHcloud appends to a marketing message. All its characters are in the default
 * alphabet, so it never changes the encoding, and weighs the same in both.
 */
export const STOP_CLAUSE = "\nSTOP:36111";

const STOP_UNITS = STOP_CLAUSE.length;

// Septets of each UTF-16 code unit: 0 when the alphabet lacks it. The euro sign,
// U+20AC, has the highest code; beyond the end the array gives undefined, which is as
// false as 0.
const SEPTETS = new Uint8Array(0x20ad);
for (let i = 0; i < GSM7_BASIC.length; i++) {
    SEPTETS[GSM7_BASIC.charCodeAt(i)] = 1;
}
for (let i = 0; i < GSM7_EXTENSION.length; i++) {
    SEPTETS[GSM7_EXTENSION.charCodeAt(i)] = 2;
}

/**
 * Count the septets of a text.
 *
 * @param {String} text
 * @returns {Number} the septets, or -1 when a character is not in GSM-7
 */
function countSeptets(text) {
    const length = text.length;
    let septets = 0;
    for (let i = 0; i < length; i++) {
        const size = SEPTETS[text.charCodeAt(i)];
        if (!size) {
            return -1;
        }
        septets += size;
    }
    return septets;
}

// White space, controls and what shows nothing, as ranges that the twin reads alike.
const BLANK =
    // eslint-disable-next-line no-control-regex
    /^[\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]*$/u;

/**
 * Tell whether nobody could read anything of a text: zero-width spaces and joiners, soft
 * hyphens and the like are charged for as any character, yet show nothing.
 *
 * @param {String} text any text; `undefined`, `null`, `false` and the empty text are blank
 * @returns {Boolean}
 */
export function isBlank(text) {
    return !text || BLANK.test(text);
}

/**
 * Tell whether the GSM 7 bit alphabet can write a whole text.
 *
 * @param {String} text any text; the empty one counts as GSM-7
 * @returns {Boolean} true when every character is in the default alphabet or in its
 *  extension table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1)
 */
export function isGsm7(text) {
    return countSeptets(text) >= 0;
}

/**
 * Fill the parts of a long GSM-7 text.
 *
 * @param {String} text a text all in GSM-7, with extension characters
 * @param {Number} clause units of the STOP clause that follows it
 * @returns {{segments: Number, last: Number}} the parts, and the septets in the last
 */
function fillGsm7(text, clause) {
    const length = text.length;
    let segments = 1;
    let last = 0;
    for (let i = 0; i < length; i++) {
        const size = SEPTETS[text.charCodeAt(i)];
        last += size;
        if (last > GSM7_MULTI) {
            // The pair of an extension character goes whole to the next part.
            segments++;
            last = size;
        }
    }
    last += clause;
    if (last > GSM7_MULTI) {
        segments++;
        last -= GSM7_MULTI;
    }
    return {segments, last};
}

/**
 * Fill the parts of a long Unicode text, jumping from one cut to the next.
 *
 * @param {String} text
 * @param {Number} units its code units, the STOP clause included
 * @returns {{segments: Number, last: Number}} the parts, and the code units in the last
 */
function fillUnicode(text, units) {
    let start = 0;
    let segments = 1;
    while (units - start > UNICODE_MULTI) {
        let cut = start + UNICODE_MULTI;
        // Past the end charCodeAt gives NaN, of which & makes 0: the clause, which
        // follows the text, has no pair to part.
        if (
            (text.charCodeAt(cut) & 0xfc00) === 0xdc00 &&
            (text.charCodeAt(cut - 1) & 0xfc00) === 0xd800
        ) {
            cut--;
        }
        start = cut;
        segments++;
    }
    return {segments, last: units - start};
}

/**
 * Count the encoding, the units and the parts of an SMS.
 *
 * One character outside the GSM 7 bit alphabet makes the whole message Unicode. Parts
 * are filled in order; the two septets of an extension character, or the two code units
 * of a surrogate pair, are never parted: when only one unit is left for them it stays
 * empty (3GPP TS 23.040, section 9.2.3.24.1). A sequence of several code points that
 * shows as one character may be parted. Control characters and lone surrogates are one
 * Unicode unit each.
 *
 * @param {String} text the message; `undefined`, `null`, `false` (an empty field of
 *  Odoo) and the empty text are an empty message
 * @param {Object} [options]
 * @param {Boolean} [options.stopClause=false] whether OVHcloud appends its STOP clause,
 *  11 units at the end; to an empty message it appends nothing, as nothing is sent
 * @returns {{encoding: String, units: Number, segments: Number,
 *  unitsPerSegment: Number, unitsLeft: Number}} encoding is `GSM7` or `UNICODE`; units
 *  are septets or UTF-16 code units, without what pads the parts; unitsPerSegment is
 *  160 or 70 for one part, 153 or 67 for several; unitsLeft is free in the last part.
 *  An empty message is `GSM7`, 0 units, 0 segments, and unitsLeft is what a first part
 *  can still hold (160, or 149 beside the clause).
 * @throws {TypeError} when `text` is neither a text nor empty
 */
export function countSegments(text, {stopClause = false} = {}) {
    const clause = stopClause ? STOP_UNITS : 0;
    // A String object (Odoo's markup) is a text too, and a true value when empty.
    const length = text ? text.length : 0;
    if (!length) {
        if (text && length !== 0) {
            throw new TypeError("countSegments: the message must be a text");
        }
        return {
            encoding: GSM7,
            units: 0,
            segments: 0,
            unitsPerSegment: GSM7_SINGLE,
            unitsLeft: GSM7_SINGLE - clause,
        };
    }
    const septets = countSeptets(text);
    const isUnicode = septets < 0;
    const encoding = isUnicode ? UNICODE : GSM7;
    const units = (isUnicode ? length : septets) + clause;
    const single = isUnicode ? UNICODE_SINGLE : GSM7_SINGLE;
    if (units <= single) {
        return {
            encoding,
            units,
            segments: 1,
            unitsPerSegment: single,
            unitsLeft: single - units,
        };
    }
    const multi = isUnicode ? UNICODE_MULTI : GSM7_MULTI;
    // Where nothing takes two units, no part is padded.
    let segments = Math.ceil(units / multi);
    let last = units - (segments - 1) * multi;
    if (isUnicode) {
        ({segments, last} = fillUnicode(text, units));
    } else if (septets > length) {
        ({segments, last} = fillGsm7(text, clause));
    }
    return {encoding, units, segments, unitsPerSegment: multi, unitsLeft: multi - last};
}

/**
 * Cut an SMS where its parts end, as `countSegments` counts them.
 *
 * @param {String} text the message, empty or not
 * @param {Object} [options]
 * @param {Boolean} [options.stopClause=false] whether OVHcloud appends its STOP clause
 * @returns {String[]} the text of each part, the clause in the last ones
 */
export function splitSegments(text, {stopClause = false} = {}) {
    const {encoding, segments, unitsPerSegment} = countSegments(text, {stopClause});
    if (!segments) {
        return [];
    }
    const parts = [""];
    let used = 0;
    for (const character of stopClause ? text + STOP_CLAUSE : text) {
        const units =
            encoding === UNICODE ? character.length : SEPTETS[character.charCodeAt(0)];
        if (used + units > unitsPerSegment) {
            parts.push("");
            used = 0;
        }
        parts[parts.length - 1] += character;
        used += units;
    }
    return parts;
}
