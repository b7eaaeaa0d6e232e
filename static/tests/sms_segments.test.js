import {
    GSM7_BASIC,
    GSM7_EXTENSION,
    MAX_SEGMENTS,
    STOP_CLAUSE,
    countSegments,
    isGsm7,
    splitSegments,
} from "@sms_ovh/sms_segments";
import {describe, expect, test} from "@odoo/hoot";

import vectors from "./sms_segments_vectors";

describe.current.tags("headless");

/**
 * Build the text of a case: null, a text, or a list of texts and `[text, times]`. The
 * docstring of `tests/test_sms_segments.py` gives the whole format.
 */
function buildText(pieces) {
    if (!Array.isArray(pieces)) {
        return pieces;
    }
    return pieces
        .map((piece) => (typeof piece === "string" ? piece : piece[0].repeat(piece[1])))
        .join("");
}

test("vectors", () => {
    expect(vectors.length).toBeGreaterThan(149);
    const failures = [];
    for (const {name, text, stop, expect: expected} of vectors) {
        const count = countSegments(buildText(text), {stopClause: stop});
        const found = [
            count.encoding,
            count.units,
            count.segments,
            count.unitsPerSegment,
            count.unitsLeft,
        ];
        if (JSON.stringify(found) !== JSON.stringify(expected)) {
            failures.push({name, expected, found});
        }
    }
    expect(failures).toEqual([]);
});

test("parts", () => {
    for (const [text, stopClause] of [
        ["", true],
        ["a".repeat(160), false],
        ["a".repeat(149), true],
        ["a".repeat(150), true],
        ["a".repeat(152) + "€".repeat(200), true],
        ["😀".repeat(100), true],
        ["a".repeat(66) + "😀".repeat(30), false],
    ]) {
        const {segments, unitsPerSegment} = countSegments(text, {stopClause});
        const parts = splitSegments(text, {stopClause});
        expect(parts.length).toBe(segments);
        const sent = stopClause && text ? text + STOP_CLAUSE : text;
        expect(parts.join("")).toBe(sent);
        if (segments > 1) {
            for (const part of parts) {
                expect(countSegments(part).units).toBeLessThan(unitsPerSegment + 1);
            }
        }
    }
});

test("alphabet", () => {
    const alphabet = new Set(GSM7_BASIC + GSM7_EXTENSION);
    expect(alphabet.size).toBe(137);
    const wrong = [];
    for (let code = 0; code < 0x10000; code++) {
        const character = String.fromCharCode(code);
        if (isGsm7(character) !== alphabet.has(character)) {
            wrong.push(code);
        }
    }
    expect(wrong).toEqual([]);
    expect(isGsm7("")).toBe(true);
});

test("constants", () => {
    expect(MAX_SEGMENTS).toBe(6);
    expect(STOP_CLAUSE).toBe("\nSTOP:36111");
});

test("empty values", () => {
    const empty = {
        encoding: "GSM7",
        units: 0,
        segments: 0,
        unitsPerSegment: 160,
        unitsLeft: 160,
    };
    for (const value of [undefined, null, false, "", Object("")]) {
        expect(countSegments(value)).toEqual(empty);
    }
    expect(countSegments(undefined, {stopClause: true}).unitsLeft).toBe(149);
});

test("text objects and other values", () => {
    const text = "a[€]ê".repeat(40);
    expect(countSegments(Object(text))).toEqual(countSegments(text));
    expect(() => countSegments(5)).toThrow(TypeError);
    expect(() => countSegments(["text"])).toThrow(TypeError);
});
