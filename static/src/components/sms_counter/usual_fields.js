import {PLACEHOLDER} from "../../links.js";
import {_t} from "@web/core/l10n/translation";

// What is usually put into a text, by the model of the recipients. Everybody may:
// `mail_allowed_qweb_expressions` of these models names them.
const USUAL_FIELDS = {
    "crm.lead": [{path: "contact_name", label: _t("Full Name")}],
    "event.registration": [{path: "name", label: _t("Full Name")}],
    "mailing.contact": [
        {path: "first_name", label: _t("First Name")},
        {path: "name", label: _t("Full Name")},
        {path: "company_name", label: _t("Company")},
    ],
    "res.partner": [
        {path: "name", label: _t("Full Name")},
        {path: "commercial_company_name", label: _t("Company")},
        {path: "city", label: _t("City")},
    ],
};

const PLACEHOLDERS = new RegExp(PLACEHOLDER, "gu");
const FIELD = /^\{\{\s*object\.([\w.]+)\s*(?:\|\|\|(.*))?\}\}$/su;

/**
 * @param {String} model of the recipients
 * @param {Object} fieldService that reads the fields of models that are not known here
 * @returns {Promise<{path: String, label: String}[]>} what is usually put into a text
 */
export async function loadUsualFields(model, fieldService) {
    if (!model || USUAL_FIELDS[model]) {
        return USUAL_FIELDS[model] || [];
    }
    let fields = {};
    try {
        fields = await fieldService.loadFields(model, {
            fieldNames: ["name", "partner_id"],
            attributes: ["string", "type", "relation"],
        });
    } catch {
        // Who may not see this model has no use for its fields.
        return [];
    }
    const found = [];
    if (fields.partner_id?.relation === "res.partner") {
        found.push({path: "partner_id.name", label: _t("Full Name")});
    }
    if (fields.name?.type === "char") {
        found.push({path: "name", label: fields.name.string});
    }
    return found;
}

/**
 * @param {String} path of a field
 * @param {String} fallback what is written where the field is empty
 * @returns {String} the placeholder
 */
export function writePlaceholder(path, fallback = "") {
    // What would end the placeholder, or begin another one, cannot be in it.
    const text = fallback.replace(/[{}|\n]/gu, "").trim();
    // Odoo keeps a space before the end as a part of it.
    return `{{ object.${path} ||| ${text}}}`;
}

/**
 * Cut a text at its placeholders.
 *
 * @param {String} text
 * @param {{path: String, label: String}[]} labels what fields are called
 * @returns {{text: String, label: String|undefined, path: String|undefined,
 *  fallback: String|undefined}[]} what is written, and the placeholders with ``label``;
 *  those of one field have its ``path``, too, and what stands for it where it is empty
 */
export function splitPlaceholders(text, labels) {
    const pieces = [];
    let end = 0;
    for (const match of text.matchAll(PLACEHOLDERS)) {
        if (match.index > end) {
            pieces.push({text: text.slice(end, match.index)});
        }
        const [found, path, fallback] = FIELD.exec(match[0]) || [];
        const named = labels.find((field) => field.path === path);
        pieces.push({
            text: match[0],
            label: String(named?.label || path || match[0].slice(2, -2).trim()),
            ...(found && {path, fallback: (fallback || "").trim()}),
        });
        end = match.index + match[0].length;
    }
    if (end < text.length) {
        pieces.push({text: text.slice(end)});
    }
    return pieces;
}

/**
 * @param {String} model of the recipients
 * @param {String} text
 * @param {{path: String, label: String}[]} known those that have a name already
 * @param {Object} fieldService that reads what fields are called
 * @returns {Promise<{path: String, label: String}[]>} the other fields of the text, by
 *  their names
 */
export async function loadLabels(model, text, known, fieldService) {
    const paths = new Set(
        splitPlaceholders(text, known)
            .filter(({path, label}) => path && label === path)
            .map(({path}) => path)
    );
    if (!model || !paths.size) {
        return [];
    }
    try {
        return await Promise.all(
            [...paths].map(async (path) => {
                const found = await fieldService.loadPathDescription(model, path);
                return {
                    path,
                    label: found.isInvalid ? path : found.displayNames.join(" › "),
                };
            })
        );
    } catch {
        // Who may not see this model reads what the text says.
        return [];
    }
}

/**
 * @param {String} text
 * @param {String} path of a field
 * @param {String} fallback what is to be written where the field is empty
 * @returns {String} the text, with that in each placeholder of the field
 */
export function setFallback(text, path, fallback) {
    return splitPlaceholders(text, [])
        .map((piece) =>
            piece.path === path ? writePlaceholder(path, fallback) : piece.text
        )
        .join("");
}
