/**
 * Measure the JavaScript SMS counter against the npm packages that count SMS.
 *
 * `segments.py` runs this script and prints what it finds:
 *
 *     node segments_js.mjs INPUT PEERS
 *
 * INPUT is a JSON file with `rounds` (how many times each counter counts all messages),
 * `messages` (texts to time) and `cases` (texts with the right `[encoding, segments]`);
 * PEERS is the folder where the packages of `package.json` are installed. The answer, on
 * standard output, is JSON: for each counter its best time for all messages in
 * milliseconds, and its encodings and segments of the messages and of the cases.
 */

import {join, resolve} from "node:path";
import {createRequire} from "node:module";
import {performance} from "node:perf_hooks";
import {readFileSync} from "node:fs";

const [inputPath, peersPath] = process.argv.slice(2);
const {rounds, messages, cases} = JSON.parse(readFileSync(inputPath, "utf8"));

// As a data URL the file is an ES module whatever package.json says around it.
const source = readFileSync(
    new URL("../../static/src/sms_segments.js", import.meta.url),
    "utf8"
);
const {countSegments} = await import(
    `data:text/javascript,${encodeURIComponent(source)}`
);

const require = createRequire(join(resolve(peersPath), "package.json"));
const {SegmentedMessage} = require("sms-segments-calculator");
const splitSms = require("split-sms");
const smsLength = require("sms-length");

const COUNTERS = {
    sms_ovh: {
        count: (text) => countSegments(text),
        read: (count) => [count.encoding, count.segments],
    },
    "sms-segments-calculator": {
        count: (text) => new SegmentedMessage(text),
        read: (count) => [
            count.encodingName === "GSM-7" ? "GSM7" : "UNICODE",
            count.segments.length,
        ],
    },
    "split-sms": {
        // Its fastest way: without the texts of the parts.
        count: (text) => splitSms.split(text, {summary: true}),
        read: (count) => [
            count.characterSet === "GSM" ? "GSM7" : "UNICODE",
            count.parts.length,
        ],
    },
    "sms-length": {
        count: (text) => smsLength.count(text),
        read: (count) => [
            count.encoding === "UTF16" ? "UNICODE" : "GSM7",
            count.messages,
        ],
    },
};

function answer({count, read}, text) {
    try {
        return read(count(text));
    } catch (error) {
        return [error.name, null];
    }
}

const results = {};
for (const [name, counter] of Object.entries(COUNTERS)) {
    results[name] = {
        messages: messages.map((text) => answer(counter, text)),
        cases: cases.map((text) => answer(counter, text)),
        best: Infinity,
    };
}
// One counter after the other in each round, so that a busy moment of the machine does
// not weigh on one of them only. The sum keeps the compiler from dropping the calls.
let kept = 0;
for (let round = 0; round < rounds; round++) {
    for (const [name, {count}] of Object.entries(COUNTERS)) {
        // Seconds per round, again and again, would tell nothing more.
        if (round >= 3 && results[name].best > 500) {
            continue;
        }
        const start = performance.now();
        for (const text of messages) {
            kept += count(text) ? 1 : 0;
        }
        results[name].best = Math.min(results[name].best, performance.now() - start);
    }
}
const long = {};
for (const piece of ["a", "a€", "€", "ê", "😀", "a😀", "\ud83d"]) {
    const text = piece.repeat(100000 / piece.length);
    let best = Infinity;
    for (let attempt = 0; attempt < 5; attempt++) {
        const start = performance.now();
        kept += countSegments(text, {stopClause: true}).segments;
        best = Math.min(best, performance.now() - start);
    }
    long[piece] = best;
}
process.stdout.write(JSON.stringify({results, long, kept}));
