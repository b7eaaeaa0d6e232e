// JavaScript as Odoo formats its own, XML as OCA does.
export default {
    plugins: ["@prettier/plugin-xml"],
    printWidth: 88,
    tabWidth: 4,
    trailingComma: "es5",
    xmlSelfClosingSpace: true,
    xmlWhitespaceSensitivity: "strict",
    overrides: [{ files: "*.js", options: { printWidth: 100 } }],
};
