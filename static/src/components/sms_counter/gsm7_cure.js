import {PLACEHOLDER, findLinks} from "../../links.js";
import {nonGsm7Characters, toGsm7} from "../../gsm7.js";

const PLACEHOLDERS = new RegExp(PLACEHOLDER, "gu");
// What makes words is never taken out of a text.
const OF_WORDS = /[\p{L}\p{N}]/u;

/**
 * Rewrite a text in GSM-7: replace what has an equivalent and, where that is not enough,
 * remove symbols that have none, such as emoji.
 *
 * @param {String} text
 * @returns {{text: String, removed: String[], remaining: String[]}} the text, what was
 *  removed from it, and what is still not GSM-7
 */
export function getCure(text) {
    const {text: replaced, remaining} = toGsm7(text);
    if (!remaining.length) {
        return {text: replaced, removed: [], remaining};
    }
    // As `toGsm7` has it, links and placeholders stay as they are.
    const kept = [
        ...findLinks(replaced),
        ...[...replaced.matchAll(PLACEHOLDERS)].map((match) => ({
            start: match.index,
            end: match.index + match[0].length,
        })),
    ];
    const isKept = ({start: where}) =>
        kept.some(({start, end: to}) => where >= start && where < to);
    const removed = new Set();
    const positions = [];
    for (const {char, positions: found} of nonGsm7Characters(replaced)) {
        if (!OF_WORDS.test(char)) {
            for (const position of found.filter((where) => !isKept(where))) {
                positions.push(position);
                removed.add(char);
            }
        }
    }
    positions.sort((a, b) => a.start - b.start);
    let result = "";
    let end = 0;
    for (const {start, length} of positions) {
        result += replaced.slice(end, start);
        end = start + length;
        // One of the two spaces around it goes, too.
        if (/(^|\s)$/u.test(result) && /^[ ]/u.test(replaced.slice(end))) {
            end++;
        }
    }
    result += replaced.slice(end);
    if (positions.length) {
        result = result.replace(/[ ]+$/u, "");
    }
    return {
        text: result,
        removed: [...removed],
        remaining: remaining.filter((char) => !removed.has(char)),
    };
}
