/**
 * Find the links of a text, as phones make them of what they show.
 *
 * Twin of `tools/links.py`, which says why; `static/tests/links_vectors.js` holds the
 * cases that both must agree on. White space and letters are written out as ranges, or
 * as properties of Unicode that Python reads alike.
 */

/**
 * A placeholder, as Odoo's inline templates recognise it: on one line. Another opening
 * inside starts a new one, which also keeps the search linear.
 */
export const PLACEHOLDER = "\\{\\{(?:(?!\\{\\{)[^\\n])+?\\}\\}";

const STOP =
    "\\x00- \\x7f-\\xa0\\u1680\\u2000-\\u200b\\u200e\\u200f\\u2028-\\u202f\\u205f-\\u206f" +
    '\\u3000\\ufeff"<>«»“”„‟‹›';
// What is the sentence's at the end of a link: punctuation, then emoji and what joins them.
const TRAIL =
    /^[.,;:!?'*|^`\\¡§\xad¶·¿、。\u2010-\u2027\u2030-\u205e\u200c\u200d\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe00-\ufe0f\u{1f000}-\u{1faff}\u{e0020}-\u{e007f}]$/u;
const STOPS = new RegExp(`^[${STOP}]`, "u");
const OPENING_OF = {")": "(", "]": "[", "}": "{"};
const WORD = "[\\p{L}\\p{N}_]";
const CANDIDATES = new RegExp(
    `(?:[hH][tT][tT][pP][sS]?:\\/\\/(?=${WORD}|\\[|\\{\\{)` +
        `|(?<![\\p{L}\\p{N}_@.\\/])[wW][wW][wW]\\.(?=${WORD}|\\{\\{))` +
        `(?:${PLACEHOLDER}|[^${STOP}])+`,
    "gu"
);
const PLACEHOLDERS = new RegExp(PLACEHOLDER, "gu");
// The name after "www." has another dot, or else it is but a word.
const HOST = /^www\.[^./?#]+\.[^./?#]/iu;

/**
 * @param {String} url up to white space
 * @returns {String} the link, without what is the sentence's
 */
function trim(url) {
    const chars = [...url];
    const counts = {"(": 0, ")": 0, "[": 0, "]": 0, "{": 0, "}": 0};
    for (const char of chars) {
        if (char in counts) {
            counts[char]++;
        }
    }
    for (let last = chars.at(-1); last !== undefined; last = chars.at(-1)) {
        const opening = OPENING_OF[last];
        const isSentence = opening
            ? counts[last] > counts[opening]
            : last in counts || TRAIL.test(last);
        if (!isSentence) {
            break;
        }
        if (last in counts) {
            counts[last]--;
        }
        chars.pop();
    }
    return chars.join("");
}

/**
 * @param {String} text as written, with placeholders, or as rendered
 * @returns {{start: Number, end: Number}[]} where the links of the text are, in order
 */
export function findLinks(text) {
    const links = [];
    for (const match of (text || "").matchAll(CANDIDATES)) {
        // What is inside a placeholder neither ends a link nor opens a bracket.
        const url = trim(
            match[0].replace(PLACEHOLDERS, (found) => "x".repeat(found.length))
        );
        if (!/^w/i.test(url) || HOST.test(url)) {
            links.push({start: match.index, end: match.index + url.length});
        }
    }
    return links;
}

/**
 * @param {String} text what follows a link
 * @returns {Boolean} whether it does not become part of the link
 */
export function mayFollowLink(text) {
    const [first] = text;
    return (
        first !== undefined &&
        (STOPS.test(first) || TRAIL.test(first) || first in OPENING_OF)
    );
}

/**
 * @param {String} text
 * @param {(link: String) => String} replace returns what stands for a link
 * @returns {String} the text with its links replaced
 */
export function replaceLinks(text, replace) {
    let result = "";
    let done = 0;
    for (const {start, end} of findLinks(text)) {
        result += text.slice(done, start) + replace(text.slice(start, end));
        done = end;
    }
    return result + text.slice(done);
}
