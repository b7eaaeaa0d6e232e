// As OCA formats JavaScript and XML; the width of a tab is in OCA's .editorconfig.
import {createRequire} from "node:module";

export default {
    // Found where pre-commit puts it: its NODE_PATH is heeded by `require` only.
    plugins: [createRequire(import.meta.url).resolve("@prettier/plugin-xml")],
    bracketSpacing: false,
    printWidth: 88,
    proseWrap: "always",
    semi: true,
    tabWidth: 4,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve",
};
