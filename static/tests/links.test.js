import {describe, expect, test} from "@odoo/hoot";
import {findLinks, replaceLinks} from "@sms_ovh/links";

import vectors from "./links_vectors";

describe.current.tags("headless");

// The docstring of `tests/test_links.py` gives the format of the cases.

test("vectors", () => {
    expect(vectors.length).toBeGreaterThan(100);
    const failures = [];
    for (const {name, text, links} of vectors) {
        const found = findLinks(text).map(({start, end}) => text.slice(start, end));
        if (JSON.stringify(found) !== JSON.stringify(links)) {
            failures.push({name, links, found});
        }
    }
    expect(failures).toEqual([]);
});

test("links are replaced where they are", () => {
    expect(replaceLinks("a https://b.fr/c, www.d.fr.", (link) => `<${link}>`)).toBe(
        "a <https://b.fr/c>, <www.d.fr>."
    );
    expect(replaceLinks("", String)).toBe("");
});

test("long texts take no time", () => {
    const start = performance.now();
    for (const piece of ["{{", ")", "www.", "https://", "{{a", "(www.a"]) {
        findLinks(`https://a.fr/${piece.repeat(20000)}`);
    }
    expect(performance.now() - start).toBeLessThan(5000);
});
