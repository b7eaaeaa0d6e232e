/**
 * Write a text with the GSM 7 bit alphabet, as near as it can be.
 *
 * Twin of `tools/gsm7.py`, which says why; `static/tests/gsm7_vectors.js` holds the
 * cases that both must agree on. The alphabet is that of 3GPP TS 23.038, section 6.2.1;
 * what the tables below do not hold is decomposed as the Unicode Standard says (annex
 * 15, forms NFC and NFKD).
 */

// With its suffix, Odoo's bundles and other ES module loaders alike find the file.
import {GSM7_BASIC, GSM7_EXTENSION, isGsm7} from "./sms_segments.js";
import {PLACEHOLDER, findLinks, mayFollowLink} from "./links.js";

/**
 * Signs that Unicode data does not decompose, or not as a reader expects: every character
 * of a value becomes the key.
 */
// prettier-ignore
const SIGNS = {
    "'": "`´‘’‚‛‹›′‵ʹʻʼʽʾʿˈꞋꞌ❛❜",
    '"': "¨«»“”„‟″‶ʺˮ〝〞〟❝❞",
    "-": "¯‐\u2011‒–—―−⁃•‣◦▪▫■□●○⸺⸻\uf0b7",
    "...": "…⋯",
    ".": "·‧∙⋅",
    ",": "¸",
    ":": "∶",
    "|": "¦",
    "/": "÷⁄∕",
    "*": "⁎∗",
    "~": "˜∼≈",
    "^": "ˆ",
    ">": "▸►➢➤",
    "->": "→",
    "<-": "←",
    "<->": "↔",
    "=>": "⇒",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "+/-": "±",
    "o/oo": "‰",
    "(c)": "©",
    "(P)": "℗",
    "(R)": "®",
    "Δ": "∆",
    "Π": "∏",
    "Σ": "∑",
};

/**
 * Letters, and signs that are read as letters, that Unicode data does not decompose. The
 * Greek capitals here are those that 3GPP TS 23.038 leaves out of the alphabet because a
 * Latin capital has their shape. A degree sign is most often that of the French n° and
 * 1°, where it stands for an o.
 */
// prettier-ignore
const LETTERS = {
    "A": "ȺᴀⱭⱯⱰꞺΑ",
    "AA": "Ꜳ",
    "AO": "Ꜵ",
    "AU": "Ꜷ",
    "AV": "ꜸꜺ",
    "AY": "Ꜽ",
    "B": "ƁƂɃʙᴃᴯꞖꞴΒ",
    "C": "ƇȻᴄꜾꞒꟄꟲ",
    "D": "ÐĐƉƊƋᴅᴆꝹꟇ",
    "E": "ƎƏƐɆᴇⱻꞫΕ",
    "F": "ƑꜰꝻꞘꟳ₣",
    "G": "ƓƔǤɢʛꝽꝾꞠꞬꟐ𝼂",
    "GH": "Ƣ",
    "H": "ĦʜⱧⱵꜦꞍꞪꟵΗ",
    "HV": "Ƕ",
    "I": "ƖƗɪᵻꞮꞼΙ",
    "J": "ɈᴊꞲ",
    "K": "ƘᴋⱩꝀꝂꝄꞢꞰ𝼐Κ",
    "L": "ŁȽʟᴌⱠⱢꝆꝈꞀꞭ𝼄",
    "LL": "Ỻ",
    "M": "ƜᴍⱮꟺꟿΜ",
    "N": "ƝȠɴᴎᴻꞐꞤΝ",
    "NG": "Ŋ",
    "O": "ƆƟᴏᴐꝊꝌꞶꟀ\ua7cbΟ",
    "OE": "ŒɶꞜ",
    "OO": "Ꝏ",
    "OU": "Ȣᴕ",
    "P": "ƤᴘⱣꝐꝒꝔΡ",
    "Q": "ɊꝖꝘꞯꟴ",
    "R": "ƦɌʀʁᴙᴚⱤꝚꞂꞦꭆ",
    "S": "ⱾꜱꞄꞨꟅꟉꟘꟖ\ua7cc\ua7f1",
    "SH": "Ʃ",
    "SS": "ẞ",
    "T": "ŦƬƮȾᴛꞆꞱΤ",
    "TH": "ÞꝤꝦ",
    "TZ": "Ꜩ",
    "U": "ƱɄᴜᵾꞸꞾ",
    "UE": "Ꞟ",
    "V": "ƲɅᴠỼꝞ",
    "VY": "Ꝡ",
    "W": "ǷᴡⱲꟂ",
    "X": "ꞳΧ",
    "Y": "ƳȜɎʏỾΥ",
    "Z": "ƵȤᴢⱫⱿꝢꟆΖ",
    "ZH": "ƷƸᴣ",
    "a": "ɐɑɒᶏᶐⱥꞻꬰꭤꬱ",
    "aa": "ꜳ",
    "ao": "ꜵ",
    "au": "ꜷ",
    "av": "ꜹꜻ",
    "ay": "ꜽ",
    "b": "ƀƃɓᵬᶀꞗꞵ",
    "c": "ƈȼɕʗↄꜿꞓꞔ𝼏𝼝¢",
    "d": "ðđƌȡɖɗᵭᶁᶑꝺꟈ𝼥",
    "db": "ȸ",
    "dz": "ʣʥꭦ",
    "dzh": "ʤ𝼒𝼙",
    "e": "ǝɇɘəɚɛɜɝɞʚᴈᶒᶓᶔᶕⱸꬲꬳꬴꭡ℮",
    "f": "ƒɸᵮᶂꝼꞙꟻꬵ",
    "fng": "ʩ𝼀",
    "g": "ǥɠɡɣᵷᵹᶃꝿꞡꟑꬶ𝼁",
    "gh": "ƣ",
    "h": "ħɥɦɧʮʯⱨⱶꜧꞕꟶ",
    "hv": "ƕ",
    "i": "ıɨɩᴉᵎᵼᶖꞽꟷꟾ𝼚",
    "j": "ȷɉɟʄʝ",
    "k": "ĸƙʞᶄⱪꝁꝃꝅꞣ𝼃",
    "l": "łƚȴɫɬɭᶅⱡꝇꝉꞁꞎꬷꬸꬹ𝼑𝼓𝼦",
    "ll": "ỻ",
    "ls": "ʪ",
    "lz": "ʫ",
    "lzh": "ɮ𝼅",
    "m": "ɯɰɱᴟᵯᶆꟽꬺ",
    "n": "ƞȵɲɳᵰᶇꞑꞥꬻ𝼧",
    "ng": "ŋꬼ𝼇𝼔",
    "o": "°˚ɔɤɵɷᴑᴒᴓᴖᴗᶗⱺꝋꝍꞷꬽꬾꬿ𝼛ꟁꭃꭄ",
    "oe": "œᴔꞝꭀꭁꭂꭢ",
    "oo": "ꝏ",
    "ou": "ȣ",
    "p": "ƥᵱᵽᶈꝑꝓꝕꟼ",
    "q": "ɋʠꝗꝙ",
    "qp": "ȹ",
    "r": "ɍɹɺɻɼɽɾɿᵲᵳᶉⱹꝛꞃꞧꭅꭈꭉꭊꭋꭌꭨ𝼈𝼕𝼖𝼨ꭇ",
    "s": "ȿʂᵴᶊẜẝꞅꞩꟊꟙ𝼞𝼩ꟗ\ua7cd",
    "sh": "ʃʅʆᶋᶘꭍ𝼋𝼌",
    "t": "ŧƫƭȶʇʈᵵⱦꞇ𝼉𝼍𝼪",
    "tc": "ʨ",
    "th": "þᵺꝥꝧꟓ",
    "ts": "ʦꭧ",
    "tsh": "ʧ𝼗𝼜",
    "tz": "ꜩ",
    "u": "ʉʊᴝᴞᵿᶙꞹꞿꭎꭏꭒµ",
    "ue": "ᵫꞟ",
    "ui": "ꭐꭑ",
    "uo": "ꭣ",
    "v": "ʋʌᶌỽⱱⱴꝟ",
    "vy": "ꝡ",
    "w": "ƿʍⱳꟃꟕ",
    "x": "×⨯ᶍꭓꭔꭕꭖꭗꭘꭙ",
    "y": "ƴȝɏʎỿꭚ𝼆",
    "z": "ƶȥɀʐʑᵶᶎⱬꝣ",
    "zh": "ƹƺʒʓᶚ𝼘",
    "Æ": "ᴁꞚ",
    "æ": "ᴂꞛ",
};

/** Ranges of characters of white space other than the space, and what ends a line. */
// prettier-ignore
const SPACES = ["\t", "\xa0", "\u1680", "\u2000-\u200a", "\u202f", "\u205f", "\u3000"];
const LINE_ENDS = ["\v", "\x85", "\u2028-\u2029"];

/**
 * Ranges of characters that show nothing: controls, soft hyphen, zero-width spaces and
 * joiners, direction marks, byte order mark. The nearest text is the one without them.
 */
// prettier-ignore
const INVISIBLE = [
    "\x00-\x08", "\x0e-\x1f", "\x7f-\x84", "\x86-\x9f", "\xad",
    "\u061c", "\u180e", "\u200b-\u200f", "\u202a-\u202e", "\u2060-\u2064",
    "\u2066-\u206f", "\ufeff", "\ufff9-\ufffb",
];

/**
 * What stands between a digit and the number that follows it in one character, lest 2½
 * be read as 21/2 and 10² as 102.
 */
// prettier-ignore
const SEPARATORS = {
    "^": ["\xb2-\xb3", "\xb9", "\u2070", "\u2074-\u2079"],
    " ": ["\xbc-\xbe", "\u2150-\u215f", "\u2189", "\u2460-\u2473", "\u24ea"],
};

/**
 * Give the characters of `["a", "x-z"]` (`a`, `x`, `y` and `z`) a value.
 *
 * @param {Map<String, String>} map where to put them
 * @param {String[]} ranges
 * @param {String} value
 */
function setMembers(map, ranges, value) {
    for (const span of ranges) {
        const last = span.charCodeAt(span.length - 1);
        for (let code = span.charCodeAt(0); code <= last; code++) {
            map.set(String.fromCharCode(code), value);
        }
    }
}

const ALPHABET = new Set(GSM7_BASIC + GSM7_EXTENSION);
const EQUIVALENTS = new Map();
for (const table of [SIGNS, LETTERS]) {
    for (const [equivalent, characters] of Object.entries(table)) {
        for (const character of characters) {
            EQUIVALENTS.set(character, equivalent);
        }
    }
}
setMembers(EQUIVALENTS, SPACES, " ");
setMembers(EQUIVALENTS, LINE_ENDS, "\n");
setMembers(EQUIVALENTS, INVISIBLE, "");
const SEPARATOR_OF = new Map();
for (const [separator, ranges] of Object.entries(SEPARATORS)) {
    setMembers(SEPARATOR_OF, ranges, separator);
}

// The classes below are ranges for a regular expression. They are written out, rather
// than taken from the categories of Unicode, so that every browser and every version of
// Python cuts a text in the same way, whatever Unicode version it knows.
const MARK =
    "\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f";
const SELECTOR = "\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}";
const JOINER = "\\u200c\\u200d";
const EMOJI =
    "\\u203c\\u2049\\u2139\\u2190-\\u2bff\\u3030\\u303d\\u3297\\u3299" +
    "\\u{1f000}-\\u{1f1e5}\\u{1f200}-\\u{1faff}";
const FLAG = "\\u{1f1e6}-\\u{1f1ff}";
const EMOJI_TAIL = `${MARK}${SELECTOR}\\u{1f3fb}-\\u{1f3ff}\\u{e0020}-\\u{e007f}`;
const GSM7_CLASS = (GSM7_BASIC + GSM7_EXTENSION).replace(/[-\\\]^]/g, "\\$&");
// Marks that strike a character out, and the letters that lose them: ≮ is not nearly <.
const STRIKE = /[\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20ea\u20eb]/;
const STRUCK = new Set(Object.values(LETTERS).join(""));
for (const character of ALPHABET) {
    if (character.toUpperCase() !== character.toLowerCase()) {
        STRUCK.add(character);
    }
}
const MARKS = new RegExp(`[${MARK}]`, "u");
const DROPPED = new RegExp(`[${SELECTOR}${JOINER}]`, "gu");

// What shows as one character and cannot be sent as it is: a flag, an emoji and those
// joined to it, a character outside the alphabet or one inside with marks.
const CLUSTER =
    `[${FLAG}]{2}` +
    `|[${EMOJI}][${EMOJI_TAIL}]*(?:\\u200d[${EMOJI}][${EMOJI_TAIL}]*)*[${JOINER}]*` +
    `|[^${GSM7_CLASS}][${MARK}${SELECTOR}${JOINER}]*` +
    `|[${GSM7_CLASS}][${MARK}${SELECTOR}]+`;
const CLUSTERS = new RegExp(CLUSTER, "gu");
const PIECES = new RegExp(`(?<kept>${PLACEHOLDER})|${CLUSTER}`, "gu");

/**
 * @param {any} value
 * @returns {String} the text, or an empty one for an empty value
 * @throws {TypeError} when `value` is neither a text nor empty
 */
function asText(value) {
    if (!value) {
        return "";
    }
    // A String object, as Odoo's markup, is a text too.
    if (typeof value !== "string" && !(value instanceof String)) {
        throw new TypeError("The message must be a text");
    }
    return value.toString();
}

/**
 * @param {String} character
 * @returns {Boolean} whether every browser decomposes it alike: Unicode versions differ
 *  in what they decompose beyond the Basic Multilingual Plane, so only mathematical,
 *  enclosed and segmented letters and digits are taken from there
 */
function isDecomposable(character) {
    const code = character.codePointAt(0);
    return (
        code < 0x10000 ||
        (code >= 0x1d400 && code <= 0x1d7ff) ||
        (code >= 0x1f100 && code <= 0x1f1ff) ||
        (code >= 0x1fbf0 && code <= 0x1fbf9)
    );
}

/**
 * @param {String} composed
 * @returns {String[]|null} letters and marks, those with an equivalent as they are; null
 *  when a character has neither
 */
function decompose(composed) {
    const decomposed = [];
    for (const character of composed) {
        if (EQUIVALENTS.has(character)) {
            decomposed.push(character);
        } else if (isDecomposable(character)) {
            decomposed.push(...character.normalize("NFKD"));
        } else {
            return null;
        }
    }
    return decomposed;
}

/**
 * @param {String} base a character without marks
 * @param {String} marks its marks
 * @returns {String|null} the nearest in GSM-7, or null when there is none
 */
function getLetter(base, marks) {
    if (marks) {
        // The first mark is the nearest to the letter: ǻ gives å, and ế gives e.
        const accented = (base + marks[0]).normalize("NFC");
        if (ALPHABET.has(accented)) {
            return accented;
        }
        if (base === " " || (STRIKE.test(marks) && !STRUCK.has(base))) {
            return null;
        }
    }
    return ALPHABET.has(base) ? base : (EQUIVALENTS.get(base) ?? null);
}

/**
 * Give the GSM-7 text nearest to one character.
 *
 * @param {String} cluster a character as it shows, with its marks and selectors
 * @returns {String|null} its equivalent, empty when the character shows nothing, or null
 *  when there is none
 */
function getEquivalent(cluster) {
    const composed = cluster.replace(DROPPED, "").normalize("NFC");
    if (ALPHABET.has(composed)) {
        return composed;
    }
    if (EQUIVALENTS.has(composed)) {
        return EQUIVALENTS.get(composed);
    }
    const decomposed = decompose(composed);
    if (decomposed === null) {
        return null;
    }
    let equivalent = "";
    let index = 0;
    while (index < decomposed.length) {
        const base = decomposed[index++];
        if (MARKS.test(base)) {
            // A mark without a character to bear it.
            continue;
        }
        let marks = "";
        while (index < decomposed.length && MARKS.test(decomposed[index])) {
            marks += decomposed[index++];
        }
        const letter = getLetter(base, marks);
        if (letter === null) {
            return null;
        }
        equivalent += letter;
    }
    return equivalent;
}

/**
 * Give what of a text is kept as it is, and what the alphabet lacks.
 *
 * @param {String} source any text
 * @yields {{start: Number, piece: String, kept: Boolean}}
 */
function* iteratePieces(source) {
    let done = 0;
    const links = [...findLinks(source), {start: source.length, end: source.length}];
    for (const {start, end} of links) {
        for (const match of source.slice(done, start).matchAll(PIECES)) {
            yield {
                start: done + match.index,
                piece: match[0],
                kept: Boolean(match.groups.kept),
            };
        }
        if (start < end) {
            yield {start, piece: source.slice(start, end), kept: true};
        }
        done = end;
    }
}

/**
 * Give the nearest text that the GSM 7 bit alphabet can write.
 *
 * A text that is GSM-7 already is not changed, nor are links (see `links.js`) and
 * placeholders (`{{ ... }}` on one line). Letters keep the accents that the alphabet has;
 * characters that show nothing (zero-width, soft hyphen, controls) are removed. What has
 * no equivalent, as emoji or Cyrillic, stays and is named; so is what stays inside links
 * and placeholders.
 *
 * @param {String} text the message; `undefined`, `null`, `false` (an empty field of Odoo)
 *  and the empty text give an empty one
 * @returns {{text: String, replacements: {from: String, to: String, count: Number}[],
 *  remaining: String[]}} the nearest text; what was replaced, as it first appears (`to`
 *  is empty for what was removed); the characters, once each and as they first appear,
 *  that are not in the alphabet and stay: none of them means that the text is GSM-7
 * @throws {TypeError} when `text` is neither a text nor empty
 */
export function toGsm7(text) {
    const source = asText(text);
    if (isGsm7(source)) {
        return {text: source, replacements: [], remaining: []};
    }
    const replacements = new Map();
    const remaining = new Set();
    let result = "";
    let end = 0;
    let powerEnd = -1;
    let linkEnd = -1;
    for (const {start, piece, kept} of iteratePieces(source)) {
        result += source.slice(end, start);
        end = start + piece.length;
        if (kept) {
            for (const [cluster] of piece.matchAll(CLUSTERS)) {
                remaining.add(cluster);
            }
            result += piece;
            linkEnd = piece.startsWith("{{") ? -1 : end;
            continue;
        }
        let equivalent = getEquivalent(piece);
        if (equivalent === null) {
            remaining.add(piece);
            result += piece;
            continue;
        }
        const separator = SEPARATOR_OF.get(piece[0]);
        // The digits of one power follow each other: 10¹² is 10^12.
        if (separator && start !== powerEnd && /[0-9]$/.test(result.slice(-1))) {
            equivalent = separator + equivalent;
        }
        if (separator === "^") {
            powerEnd = end;
        }
        // A link that ends here stays as it is: "https://a.fr/b–" is not "…/b-".
        if (start === linkEnd && !mayFollowLink(equivalent)) {
            equivalent = ` ${equivalent}`;
        }
        result += equivalent;
        const key = JSON.stringify([piece, equivalent]);
        if (replacements.has(key)) {
            replacements.get(key).count++;
        } else {
            replacements.set(key, {from: piece, to: equivalent, count: 1});
        }
    }
    result += source.slice(end);
    return {
        text: result,
        replacements: [...replacements.values()],
        remaining: [...remaining],
    };
}

/**
 * Find the characters that force a text to be sent as Unicode, to mark them in it.
 *
 * @param {String} text the message; `undefined`, `null`, `false` and the empty text have
 *  none
 * @returns {{char: String, count: Number,
 *  positions: {start: Number, length: Number}[]}[]} each character as it shows (an emoji
 *  with what is joined to it, a letter with its marks), once and as they first appear;
 *  how many times; where, in UTF-16 code units
 * @throws {TypeError} when `text` is neither a text nor empty
 */
export function nonGsm7Characters(text) {
    const source = asText(text);
    const found = new Map();
    if (isGsm7(source)) {
        return [];
    }
    for (const match of source.matchAll(CLUSTERS)) {
        const char = match[0];
        if (!found.has(char)) {
            found.set(char, {char, count: 0, positions: []});
        }
        const entry = found.get(char);
        entry.count++;
        entry.positions.push({start: match.index, length: char.length});
    }
    return [...found.values()];
}
