// Shows the virtual phones and keeps them up to date by server-sent events. Everything
// that came in an SMS is only ever set as text.

const TEXTS = JSON.parse(document.body.dataset.texts);
const PLANE = "M3 20.500 21.500 12 3 3.500v6.600L15 12 3 13.900z";
const SVG = "http://www.w3.org/2000/svg";
const LONGEST_GRID = 48;

const grid = document.getElementById("phones");
const cards = new Map();
let searching = "";

function element(tag, className, text) {
    const node = document.createElement(tag);
    if (className) {
        node.className = className;
    }
    if (text !== undefined) {
        node.textContent = text;
    }
    return node;
}

function planeIcon() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", PLANE);
    path.setAttribute("fill", "currentColor");
    svg.append(path);
    return svg;
}

function shownNumber(number) {
    const french = /^\+33(\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(number);
    return french ? `+33 ${french.slice(1).join(" ")}` : number;
}

async function order(number, action, body) {
    const response = await fetch(
        `/simulator/phones/${encodeURIComponent(number)}/${action}`,
        {
            method: "POST",
            headers: {"Content-Type": "application/json"},
            body: JSON.stringify(body),
        }
    );
    if (!response.ok) {
        // The only refusal that the page's own controls let through: an answer that comes too late
        throw new Error(
            response.status === 409 ? TEXTS.reply_late : response.statusText
        );
    }
}

class Card {
    constructor(number) {
        this.number = number;
        this.signature = "";
        this.root = element("article", "phone");
        const screen = element("div", "screen");
        const header = element("header");
        const title = element("h2", "", shownNumber(number));
        title.id = `phone-${number}`;
        this.root.setAttribute("aria-labelledby", title.id);
        this.power = element("button", "switch");
        this.power.type = "button";
        this.power.setAttribute("role", "switch");
        this.power.setAttribute("aria-label", TEXTS.power_label);
        this.power.addEventListener("click", () =>
            this.run("power", {on: this.power.getAttribute("aria-checked") !== "true"})
        );
        header.append(title, this.power);
        this.notice = element("p", "notice", TEXTS.off_notice);
        this.talk = element("div", "talk");
        this.talk.tabIndex = 0;
        this.problem = element("p", "problem");
        this.problem.setAttribute("role", "alert");
        this.problem.hidden = true;
        this.form = element("form");
        this.stop = element("button", "round stop", TEXTS.stop);
        this.stop.type = "button";
        this.stop.title = TEXTS.stop_label;
        this.stop.addEventListener("click", () => this.run("stop", {}));
        this.input = element("input");
        this.input.maxLength = 1000;
        this.send = element("button", "round");
        this.send.setAttribute("aria-label", TEXTS.send);
        this.send.append(planeIcon());
        this.form.append(this.stop, this.input, this.send);
        this.form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.reply();
        });
        screen.append(header, this.notice, this.talk, this.problem, this.form);
        this.root.append(screen);
    }

    async reply() {
        const text = this.input.value.trim();
        if (text && (await this.run("reply", {text}))) {
            this.input.value = "";
        }
    }

    async run(action, body) {
        try {
            await order(this.number, action, body);
            this.problem.hidden = true;
            return true;
        } catch (error) {
            this.problem.textContent =
                error instanceof TypeError ? TEXTS.offline : error.message;
            this.problem.hidden = false;
            return false;
        }
    }

    update(phone) {
        const signature = JSON.stringify(phone);
        if (signature === this.signature) {
            return;
        }
        this.signature = signature;
        this.root.classList.toggle("off", !phone.on);
        this.power.setAttribute("aria-checked", String(phone.on));
        this.power.title = phone.on ? TEXTS.power_on : TEXTS.power_off;
        this.notice.hidden = phone.on;
        const answerable = phone.messages.some(
            (message) => message.can_reply && message.status === "delivered"
        );
        this.input.disabled = this.send.disabled = !answerable || !phone.on;
        this.input.placeholder = answerable ? TEXTS.reply : TEXTS.no_reply;
        this.input.setAttribute("aria-label", this.input.placeholder);
        this.stop.disabled =
            !phone.on ||
            !phone.messages.some(
                (message) => message.service && message.status === "delivered"
            );
        this.renderMessages(phone.messages);
    }

    renderMessages(messages) {
        const nodes = [];
        let from = null;
        for (const message of messages) {
            const mine = message.direction === "out";
            if (!mine && message.sender !== from) {
                nodes.push(element("div", "from", message.sender));
                from = message.sender;
            }
            const line = element("div", mine ? "mine" : "");
            line.classList.toggle(
                "undelivered",
                !mine && message.status !== "delivered"
            );
            line.append(
                element("div", "bubble", message.text),
                this.smallPrint(message)
            );
            nodes.push(line);
        }
        if (!nodes.length) {
            nodes.push(element("div", "small", TEXTS.no_messages));
        }
        this.talk.replaceChildren(...nodes);
        this.talk.scrollTop = this.talk.scrollHeight;
    }

    smallPrint(message) {
        const small = element("div", "small");
        const time = message.at.slice(11, 16);
        if (message.direction === "out") {
            small.textContent = `${time} · ${TEXTS.to} ${message.to}`;
            return small;
        }
        const parts = message.parts === 1 ? TEXTS.part : TEXTS.parts;
        const encoding = TEXTS[`encoding_${message.encoding}`];
        let status = TEXTS[`status_${message.status}`];
        if (message.status === "failed") {
            status += ` (ptt ${message.ptt})`;
        }
        small.append(
            `${time} · ${message.parts} ${parts} · ${encoding} · `,
            element("span", message.status, status)
        );
        return small;
    }
}

function show(phones, replace) {
    if (replace) {
        cards.clear();
        grid.replaceChildren();
    }
    // The last changed comes first: new cards are put in front from the oldest on
    for (const phone of [...phones].reverse()) {
        let card = cards.get(phone.number);
        if (!card) {
            card = new Card(phone.number);
            cards.set(phone.number, card);
            grid.prepend(card.root);
        }
        card.update(phone);
    }
    while (grid.children.length > LONGEST_GRID) {
        const last = grid.lastElementChild;
        for (const [number, card] of cards) {
            if (card.root === last) {
                cards.delete(number);
            }
        }
        last.remove();
    }
    for (const card of cards.values()) {
        card.talk.scrollTop = card.talk.scrollHeight;
    }
    document.getElementById("empty").hidden = cards.size > 0 || Boolean(searching);
    document.getElementById("nothing").hidden = cards.size > 0 || !searching;
}

function chip(text, strong, hint) {
    const node = element("span", "chip");
    node.append(element("span", "", text), element("strong", "", strong));
    if (hint) {
        node.title = hint;
    }
    return node;
}

function showSummary(summary) {
    const format = new Intl.NumberFormat(document.documentElement.lang, {
        maximumFractionDigits: 2,
    });
    const chips = summary.services.map((service) =>
        chip(
            service.description,
            `${format.format(service.credits)} ${TEXTS.credits}`,
            service.name
        )
    );
    chips.push(chip(TEXTS.sms_count, format.format(summary.sms)));
    const clock = summary.clock
        ? summary.clock.slice(0, 16).replace("T", " ")
        : TEXTS.clock_open;
    chips.push(chip(TEXTS.clock, clock, TEXTS.clock_hint));
    document.getElementById("summary").replaceChildren(...chips);
}

function setLive(live) {
    const node = document.getElementById("live");
    node.hidden = false;
    node.classList.toggle("lost", !live);
    node.lastElementChild.textContent = live ? TEXTS.live : TEXTS.offline;
}

let timer = 0;
async function find() {
    const wanted = searching;
    const response = await fetch(
        `/simulator/phones?search=${encodeURIComponent(wanted)}`
    );
    const phones = await response.json();
    if (wanted === searching) {
        show(phones, true);
    }
}

function showSnapshot(snapshot) {
    showSummary(snapshot.summary);
    if (searching) {
        find();
    } else {
        show(snapshot.phones, true);
    }
}

showSnapshot(JSON.parse(document.body.dataset.snapshot));

const source = new EventSource("/simulator/events");
source.addEventListener("open", () => setLive(true));
source.addEventListener("error", () => setLive(false));
source.addEventListener("snapshot", (event) => showSnapshot(JSON.parse(event.data)));
source.addEventListener("phones", (event) => {
    const data = JSON.parse(event.data);
    showSummary(data.summary);
    // While searching, only the phones that were found are kept up to date
    show(
        searching
            ? data.phones.filter((phone) => cards.has(phone.number))
            : data.phones,
        false
    );
});

document.getElementById("search").addEventListener("input", (event) => {
    searching = event.target.value.trim();
    clearTimeout(timer);
    timer = setTimeout(find, 200);
});
