import {Component, onWillRender, useEffect, useRef, useState} from "@odoo/owl";
import {
    GSM7,
    GSM7_MULTI,
    GSM7_SINGLE,
    MAX_SEGMENTS,
    STOP_CLAUSE,
    UNICODE,
    UNICODE_MULTI,
    UNICODE_SINGLE,
    countSegments,
    isGsm7,
} from "../../sms_segments.js";
import {findLinks, replaceLinks} from "../../links.js";
import {getTextAsSent, hasPlaceholders} from "./text_as_sent.js";
import {nonGsm7Characters, toGsm7} from "../../gsm7.js";
import {_t} from "@web/core/l10n/translation";
import {getCure} from "./gsm7_cure.js";
import {useDebounced} from "@web/core/utils/timing";

// Milliseconds without a key before a change is said aloud: screen readers would
// otherwise speak over what the user types.
const ANNOUNCE_DELAY = 1000;
// Characters shown on each side of a marked one, and how many are shown at most.
const EXCERPT_CONTEXT = 14;
// Fewer characters than this are shown: an ellipsis would take their place.
const MIN_ELIDED = 6;
const MAX_MARKED = 8;
const MAX_NAMED = 12;

const separator = " · ";

/**
 * Tell what to show of a character: itself, or its name where nothing would be seen.
 *
 * @param {String} char
 * @returns {String}
 */
function getName(char) {
    switch (char) {
        case "\t":
            return _t("tab");
        case "\u00a0":
            return _t("no-break space");
        case "\u202f":
            return _t("narrow no-break space");
        case "\u2009":
            return _t("thin space");
        case "\u00ad":
            return _t("soft hyphen");
        case "\u200b":
            return _t("zero-width space");
        case "\ufeff":
            return _t("byte order mark");
    }
    if (/^[\p{C}\p{Z}\p{M}]/u.test(char)) {
        const code = char.codePointAt(0).toString(16).toUpperCase();
        return `U+${code.padStart(4, "0")}`;
    }
    return char;
}

/**
 * Cut what surrounds the marked characters out of a text.
 *
 * @param {String} text
 * @param {{start: Number, length: Number}[]} positions in order
 * @returns {{text: String, marked: Boolean}[]}
 */
function getExcerpt(text, positions) {
    const pieces = [];
    let end = 0;
    const add = (to) => {
        if (to > end) {
            pieces.push({text: text.slice(end, to), marked: false});
        }
        end = to;
    };
    for (const {start, length} of positions) {
        const from = Math.max(0, start - EXCERPT_CONTEXT);
        if (from > end) {
            if (pieces.length) {
                add(Math.min(from, end + EXCERPT_CONTEXT));
            }
            if (from - end > MIN_ELIDED) {
                pieces.push({text: pieces.length ? " … " : "… ", marked: false});
                end = from;
            } else {
                add(from);
            }
        }
        add(start);
        const char = text.slice(start, start + length);
        pieces.push({text: getName(char), marked: true});
        end = start + length;
    }
    add(Math.min(text.length, end + EXCERPT_CONTEXT));
    if (end < text.length) {
        pieces.push({text: " …", marked: false});
    }
    return pieces;
}

/**
 * What stands under the text of an SMS: what OVHcloud will charge for it, and what to do
 * about it. It follows `state.text` alone, so that a key costs no other rendering.
 */
export class SmsOvhCounter extends Component {
    static template = "sms_ovh.SmsCounter";
    static props = {
        // Reactive: `text`, as it is typed, and `undo`, set once the text was rewritten.
        state: Object,
        id: {type: String, optional: true},
        placeholders: {type: [Object, {value: null}], optional: true},
        // The longest that a link becomes: the last recipient's.
        lastLink: {type: String, optional: true},
        optOut: {type: Boolean, optional: true},
        // What is written in GSM-7 as it is sent: "off", "placeholders" or "all".
        gsm7: {type: String, optional: true},
        // What the estimate found for all recipients of a text: whether it is GSM-7, and
        // the least and the most SMS that one gets.
        found: {type: [Object, {value: null}], optional: true},
        foundText: {type: String, optional: true},
        stopClause: {type: Boolean, optional: true},
        readonly: {type: Boolean, optional: true},
        onReplace: {type: Function, optional: true},
        onUndo: {type: Function, optional: true},
    };

    setup() {
        this.state = useState(this.props.state);
        this.live = useState({announcement: ""});
        this.replaceRef = useRef("replace");
        this.undoRef = useRef("undo");
        onWillRender(() => {
            this.sms = this.describe();
        });
        this.announce = useDebounced(() => {
            this.live.announcement = this.getSummary(this.sms);
        }, ANNOUNCE_DELAY);
        useEffect(
            (known) => {
                if (this.known !== undefined && this.known !== known) {
                    this.announce();
                }
                this.known = known;
            },
            () => [`${this.sms.encoding} ${this.sms.segments}`]
        );
        // Keep the keyboard where it was: the button that was pressed is gone.
        this.toFocus = null;
        useEffect(() => {
            if (this.toFocus?.el) {
                this.toFocus.el.focus();
                this.toFocus = null;
            }
        });
    }

    /** @returns {Object} everything that the template shows, once for each rendering */
    describe() {
        const text = this.state.text || "";
        const count = this.count(text);
        count.most = this.countMost(text, count);
        const sms = {
            ...count,
            isTooLong: count.segments > MAX_SEGMENTS,
            isNearEnd:
                count.segments > 0 && count.unitsLeft <= count.unitsPerSegment / 10,
            line: this.getItems(text, count).join(separator),
            explanation: this.getExplanation(count),
        };
        if (sms.isNearEnd && !sms.isTooLong) {
            sms.nearEnd =
                count.segments === MAX_SEGMENTS
                    ? _t("Characters left before the limit: %(left)s", {
                          left: count.unitsLeft,
                      })
                    : _t("Characters left before %(next)s SMS: %(left)s", {
                          left: count.unitsLeft,
                          next: count.segments + 1,
                      });
        }
        if (count.encoding === UNICODE && !this.props.readonly) {
            sms.unicode = this.getUnicode(text, count);
        }
        const written = this.getWritten(text);
        if (written) {
            sms.written = _t("Written in GSM-7 as it is sent: %(written)s", {written});
        }
        const undo = this.state.undo;
        sms.canUndo = Boolean(!this.props.readonly && undo && undo.after === text);
        return sms;
    }

    /**
     * @param {String} text as written
     * @param {Object} count its size as it is sent
     * @returns {String[]} the size in words, and what it includes
     */
    getItems(text, count) {
        const {placeholders, optOut, stopClause} = this.props;
        const clause = stopClause && count.segments ? STOP_CLAUSE.length : 0;
        const used = count.units - clause;
        const items = [
            `${used} / ${used + count.unitsLeft}`,
            this.getSegments(text, count),
            this.getEncoding(text, count),
        ];
        if (stopClause) {
            items.push(_t("STOP included"));
        }
        if (placeholders && findLinks(text).length) {
            items.push(_t("links counted as shortened"));
        }
        if (count.most > count.segments && !this.getFound(text)) {
            items.push(_t("links are longer for the last recipients"));
        }
        if (placeholders && optOut) {
            items.push(_t("opt-out link included"));
        }
        if (this.getFound(text)) {
            items.push(_t("as estimated"));
        } else if (hasPlaceholders(text)) {
            items.push(_t("placeholders counted as written"));
        }
        return items;
    }

    /**
     * @param {Object} count its size as it is sent
     * @returns {String} what the figures mean, for who points at them or cannot see them
     */
    getExplanation(count) {
        const {placeholders, optOut, stopClause} = this.props;
        const sentences = [
            _t(
                "Characters written, and how many there is room for; how many SMS each recipient costs."
            ),
            count.encoding === UNICODE
                ? _t(
                      "Unicode: because of one character or more, an SMS has room for %(unicode)s characters instead of %(gsm7)s.",
                      {unicode: UNICODE_SINGLE, gsm7: GSM7_SINGLE}
                  )
                : _t("GSM-7: the alphabet that gives %(gsm7)s characters an SMS.", {
                      gsm7: GSM7_SINGLE,
                  }),
        ];
        if (stopClause) {
            sentences.push(
                _t(
                    "OVHcloud adds a line by which recipients opt out: it takes %(clause)s characters, which are already taken off.",
                    {clause: STOP_CLAUSE.length}
                )
            );
        }
        if (placeholders && optOut) {
            sentences.push(_t("The opt-out link is counted as it is sent."));
        }
        return sentences.join(" ");
    }

    get limit() {
        return _t(
            "Too long: OVHcloud sends at most %(max)s SMS at a time, that is %(gsm7)s characters, or %(unicode)s in Unicode.",
            {
                max: MAX_SEGMENTS,
                gsm7: MAX_SEGMENTS * GSM7_MULTI,
                unicode: MAX_SEGMENTS * UNICODE_MULTI,
            }
        );
    }

    /**
     * @param {String} text as written
     * @returns {Object} its size as it is sent
     */
    count(text) {
        const {placeholders, optOut, gsm7, stopClause} = this.props;
        return countSegments(getTextAsSent(text, placeholders, optOut, gsm7), {
            stopClause,
        });
    }

    /**
     * @param {String} text as written
     * @param {Object} count its size for the first recipient
     * @returns {Number} SMS that the last recipient gets: each SMS's id is in its links
     */
    countMost(text, count) {
        const {placeholders, lastLink, optOut, gsm7, stopClause} = this.props;
        if (!placeholders || !lastLink || lastLink.length <= placeholders.link.length) {
            return count.segments;
        }
        const last = {...placeholders, link: lastLink};
        return countSegments(getTextAsSent(text, last, optOut, gsm7), {stopClause})
            .segments;
    }

    /**
     * @param {String} text as written
     * @returns {Boolean} whether it differs from one recipient to the next. What is inside
     *  a link that is shortened does not count.
     */
    isVaried(text) {
        return hasPlaceholders(
            this.props.placeholders ? replaceLinks(text, () => "") : text
        );
    }

    /**
     * @param {String} text as written
     * @returns {Object|null} what the estimate found for it, where placeholders decide
     */
    getFound(text) {
        const {found, foundText} = this.props;
        return found && foundText === text && this.isVaried(text) ? found : null;
    }

    /**
     * @param {String} text as written
     * @param {Object} count its size as it is sent
     * @returns {String} how many SMS a recipient gets
     */
    getSegments(text, count) {
        const {least, most} = this.getFound(text) || {
            least: count.segments,
            most: count.most,
        };
        if (most > least) {
            return _t("%(least)s to %(most)s SMS", {least, most});
        }
        return this.isVaried(text) && !this.getFound(text)
            ? _t("about %(segments)s SMS", {segments: least})
            : _t("%(segments)s SMS", {segments: least});
    }

    /**
     * @param {String} text as written
     * @param {Object} count its size as it is sent
     * @returns {String} the encoding, and whether it is that for certain
     */
    getEncoding(text, count) {
        if (count.encoding === UNICODE) {
            return _t("Unicode");
        }
        const {gsm7} = this.props;
        const isCertain = this.isVaried(text)
            ? this.getFound(text)?.gsm7
            : gsm7 && gsm7 !== "off";
        return isCertain && count.segments
            ? _t("GSM-7 for every recipient")
            : _t("GSM-7");
    }

    /**
     * @param {String} text as written
     * @returns {String} what of it is written otherwise as it is sent, in words
     */
    getWritten(text) {
        const {gsm7, placeholders, optOut} = this.props;
        if (gsm7 !== "all") {
            return "";
        }
        const sent = getTextAsSent(text, placeholders, optOut);
        if (isGsm7(sent) || !isGsm7(getTextAsSent(text, placeholders, optOut, gsm7))) {
            return "";
        }
        const {replacements} = toGsm7(sent);
        return replacements
            .slice(0, MAX_NAMED)
            .map(({from, to}) => (to ? `${getName(from)} → ${to}` : getName(from)))
            .concat(replacements.length > MAX_NAMED ? "…" : [])
            .join(", ");
    }

    /**
     * Explain why a text is Unicode, and what it would take to change that.
     *
     * @param {String} text as written
     * @param {Object} count its size as it is sent
     */
    getUnicode(text, count) {
        let characters = nonGsm7Characters(text);
        if (this.props.placeholders) {
            // What is inside a link does not count: the link is replaced.
            const links = findLinks(text);
            const isOutside = ({start}) =>
                !links.some((link) => start >= link.start && start < link.end);
            characters = characters
                .map(({char, positions}) => ({
                    char,
                    positions: positions.filter(isOutside),
                }))
                .filter(({positions}) => positions.length);
        }
        const positions = characters
            .flatMap((character) => character.positions)
            .sort((a, b) => a.start - b.start);
        const names = (chars) =>
            chars
                .slice(0, MAX_NAMED)
                .map(getName)
                .concat(chars.length > MAX_NAMED ? "…" : [])
                .join(", ");
        const chars = characters.map(({char}) => char);
        return {
            excerpt: getExcerpt(text, positions.slice(0, MAX_MARKED)),
            cause: _t(
                "%(characters)s — %(unicode)s characters per SMS instead of %(gsm7)s",
                {
                    characters: names(chars),
                    unicode: UNICODE_SINGLE,
                    gsm7: GSM7_SINGLE,
                }
            ),
            ...this.getGain(text, count, chars, names),
        };
    }

    /**
     * Tell what rewriting a text in GSM-7 gains. Where it gains nothing it is not offered.
     *
     * @param {String} text as written
     * @param {Object} count its size as it is sent
     * @param {String[]} chars that make it Unicode
     * @param {Function} names shows some of them
     * @returns {Object} ``cure``, the text that would be better, and ``saving``, a sentence
     */
    getGain(text, count, chars, names) {
        const {text: cure, removed, remaining} = getCure(text);
        const after = this.count(cure);
        if (cure === text || !cure.trim() || after.encoding !== GSM7) {
            const kept = remaining.filter((char) => chars.includes(char));
            return {
                saving: _t(
                    "No equivalent for %(characters)s: the text stays Unicode.",
                    {
                        characters: names(kept.length ? kept : chars),
                    }
                ),
            };
        }
        const values = {
            characters: names(removed),
            after: after.segments,
            before: count.segments,
            saved: count.segments - after.segments,
        };
        if (values.saved <= 0) {
            values.after = after.unitsLeft;
            values.before = count.unitsLeft;
            const saving = removed.length
                ? _t(
                      "Without %(characters)s there is more room. Characters left: %(after)s instead of %(before)s.",
                      values
                  )
                : _t(
                      "Replacing them makes room. Characters left: %(after)s instead of %(before)s.",
                      values
                  );
            return {cure, removed, saving};
        }
        const saving = removed.length
            ? _t("Without %(characters)s: %(after)s SMS instead of %(before)s.", values)
            : _t(
                  "Replacing them saves %(saved)s SMS: %(after)s instead of %(before)s.",
                  values
              );
        return {cure, removed, saving};
    }

    /** @returns {String} what a screen reader says of a change */
    getSummary(sms) {
        const sentences = [
            _t("%(segments)s SMS, %(encoding)s.", {
                segments: sms.most,
                encoding: sms.encoding === UNICODE ? _t("Unicode") : _t("GSM-7"),
            }),
        ];
        if (sms.unicode) {
            sentences.push(`${sms.unicode.cause}.`);
        }
        if (sms.isTooLong) {
            sentences.push(this.limit);
        }
        return sentences.join(" ");
    }

    onReplace() {
        this.props.onReplace(this.sms.unicode.cure);
        this.toFocus = this.undoRef;
    }

    onUndo() {
        this.props.onUndo();
        this.toFocus = this.replaceRef;
    }
}
