// JavaScript as Odoo formats its own, XML as OCA does.
import { createRequire } from "node:module";

export default {
    // Found where pre-commit puts it: its NODE_PATH is heeded by `require` only.
    plugins: [createRequire(import.meta.url).resolve("@prettier/plugin-xml")],
    printWidth: 88,
    tabWidth: 4,
    trailingComma: "es5",
    xmlSelfClosingSpace: true,
    xmlWhitespaceSensitivity: "strict",
    overrides: [{ files: "*.js", options: { printWidth: 100 } }],
};
