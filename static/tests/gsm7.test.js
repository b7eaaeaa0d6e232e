import {describe, expect, test} from "@odoo/hoot";
import {nonGsm7Characters, toGsm7} from "@sms_ovh/gsm7";
import {isGsm7} from "@sms_ovh/sms_segments";

import vectors from "./gsm7_vectors";

describe.current.tags("headless");

// The docstring of `tests/test_gsm7.py` gives the format of the cases.

test("vectors", () => {
    expect(vectors.length).toBeGreaterThan(149);
    const failures = [];
    for (const {name, text, expect: expected} of vectors) {
        const result = toGsm7(text);
        const found = {
            text: result.text,
            replacements: result.replacements.map(({from, to, count}) => [
                from,
                to,
                count,
            ]),
            remaining: result.remaining,
        };
        if (JSON.stringify(found) !== JSON.stringify(expected)) {
            failures.push({name, expected, found});
        }
    }
    expect(failures).toEqual([]);
});

test("characters to mark in the text", () => {
    const failures = [];
    for (const {name, text, found: expected} of vectors) {
        if (!expected) {
            continue;
        }
        const found = nonGsm7Characters(text).map(({char, count, positions}) => [
            char,
            count,
            positions.map(({start, length}) => [start, length]),
        ]);
        if (JSON.stringify(found) !== JSON.stringify(expected)) {
            failures.push({name, expected, found});
        }
    }
    expect(failures).toEqual([]);
});

test("marked characters are all that force Unicode", () => {
    const failures = [];
    for (const {name, text} of vectors) {
        let rest = text || "";
        const places = nonGsm7Characters(text).flatMap(({char, count, positions}) => {
            if (count !== positions.length) {
                failures.push(name);
            }
            return positions.map((position) => ({...position, char}));
        });
        places.sort((a, b) => b.start - a.start);
        for (const {start, length, char} of places) {
            if (rest.slice(start, start + length) !== char) {
                failures.push(name);
            }
            rest = rest.slice(0, start) + rest.slice(start + length);
        }
        if (!isGsm7(rest)) {
            failures.push(name);
        }
    }
    expect(failures).toEqual([]);
});

test("a result does not change any more", () => {
    const failures = [];
    for (const {name, text} of vectors) {
        const {text: written, remaining} = toGsm7(text);
        const again = toGsm7(written);
        if (again.text !== written || again.replacements.length) {
            failures.push(name);
        }
        if (isGsm7(written) !== !remaining.length) {
            failures.push(name);
        }
    }
    expect(failures).toEqual([]);
});

test("empty values, text objects and other values", () => {
    const empty = {text: "", replacements: [], remaining: []};
    for (const value of [undefined, null, false, "", Object("")]) {
        expect(toGsm7(value)).toEqual(empty);
        expect(nonGsm7Characters(value)).toEqual([]);
    }
    expect(toGsm7(Object("l’été")).text).toBe("l'été");
    expect(() => toGsm7(5)).toThrow(TypeError);
    expect(() => nonGsm7Characters(["text"])).toThrow(TypeError);
});
