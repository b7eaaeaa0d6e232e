import {open, pressInHeader} from "./steps";
import {registry} from "@web/core/registry";

const CSV = [
    "name;mobile;country_id;list_ids",
    "Propre;06 12 34 00 10;France;Clients du tableur",
    "Zéro en trop;00612340011;France;Clients du tableur",
    "Deux numéros;06 12 34 00 12 / 06 12 34 00 13;France;Clients du tableur",
    "Lettre;O6 12 34 00 14;France;Clients du tableur",
    "Arrondi;6.1234E+08;France;Clients du tableur",
    "Zéro perdu;612340016;France;Clients du tableur",
    "Fixe;01 42 68 53 00;France;Clients du tableur",
    "Réunion;0692 12 34 56;France;Clients du tableur",
].join("\n");

const IMPORT = [
    {
        content: "Import a list",
        trigger: ".o_list_view .o_cp_action_menus .dropdown-toggle",
        run: "click",
    },
    {
        trigger: ".o_import_menu",
        run: "click",
    },
    {
        trigger: ".o_control_panel .o_input_file:not(:visible)",
        run() {
            const transfer = new DataTransfer();
            transfer.items.add(new File([CSV], "clients.csv", {type: "text/csv"}));
            this.anchor.files = transfer.files;
            this.anchor.dispatchEvent(new Event("change", {bubbles: true}));
        },
    },
    {
        trigger: ".o_import_data_content:contains('06 12 34 00 10')",
    },
    {
        trigger: ".o_control_panel button:contains('Import')",
        run: "click",
    },
    {
        trigger: ".o_list_view .o_data_cell:contains('Zéro en trop')",
    },
    {
        content: "To the campaign",
        trigger: "body",
        run() {
            window.location = "/odoo/sms-marketing?view_type=list";
        },
        expectUnloadPage: true,
    },
];

/** A proposed correction: a line of a list, or a card on a phone. */
const correction = (texts, within = "") =>
    [".o_data_row", ".o_kanban_record"]
        .map(
            (kind) =>
                kind + texts.map((text) => `:contains('${text}')`).join("") + within
        )
        .join(", ");

const CORRECT = [
    open("Open the campaign", "Soldes du tableur"),
    ...pressInHeader("action_sms_ovh_estimate", "Estimer"),
    {
        content: "Who is left out, and that one has two numbers",
        trigger: ".modal h4:contains('Écartés')",
    },
    {
        trigger: ".modal div[name='several']:contains('1')",
    },
    {
        trigger:
            ".modal button[name='action_correct_numbers']:contains('Corriger les numéros')",
        run: "click",
    },
    {
        content: "What was typed, and what was meant",
        trigger: correction(["Zéro en trop", "00612340011", "+33 6 12 34 00 11"]),
    },
    {
        trigger: correction(["Arrondi", "tableur"]),
    },
    {
        trigger: correction(["Fixe", "Ligne fixe"]),
    },
    {
        content: "Accept one",
        trigger: correction(["Zéro en trop"], " button[name='action_accept']"),
        run: "click",
    },
    {
        trigger: correction(["Zéro en trop", "Accepté"]),
    },
    {
        content: "And all others",
        trigger:
            "button[name='action_accept_all']:contains('Accepter toutes les propositions')",
        run: "click",
    },
    {
        trigger: correction(["Lettre", "Accepté"]),
    },
    {
        content: "Back to the campaign",
        trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a:last",
        run: "click",
    },
    {
        trigger:
            "body:not(:has(.modal)) button[name='action_sms_ovh_send']:contains('Envoyer')",
        run: "click",
    },
    {
        trigger: ".modal .modal-body:contains('crédits')",
    },
    {
        trigger: ".modal div[name='figures']:contains('6')",
    },
    {
        trigger: ".modal-footer button:contains('Envoyer')",
        run: "click",
    },
    {
        trigger: "body:not(:has(.modal)) .o_form_view:contains('En attente')",
    },
];

// A list as it comes from a spreadsheet: imported, estimated, corrected, sent.
registry.category("web_tour.tours").add("sms_ovh_dirty_numbers", {
    steps: () => [...IMPORT, ...CORRECT],
});

// The same of a list that is there already, on a phone too.
registry.category("web_tour.tours").add("sms_ovh_correct_numbers", {
    steps: () => CORRECT,
});
