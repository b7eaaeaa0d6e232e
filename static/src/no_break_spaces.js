import {ViewCompiler} from "@web/views/view_compiler";
import {createElement} from "@web/core/utils/xml";
import {patch} from "@web/core/utils/patch";
import {session} from "@web/session";

const NO_BREAK_SPACE = "\u00a0";
const OTHER_SPACES = /[^\S\u00a0]+/g;

// What stands in a template is written with each run of spaces as one plain space, the
// no-break ones of French included: on a phone a colon then begins a line. For who works
// in no company that sends through OVHcloud, Odoo stays as it is.
patch(ViewCompiler.prototype, {
    /**
     * Override to write texts with no-break spaces as what they are.
     *
     * @override
     */
    compileNode(node) {
        const compiled = super.compileNode(...arguments);
        if (
            !session.sms_ovh_company_ids?.length ||
            node.nodeType !== Node.TEXT_NODE ||
            !node.nodeValue.includes(NO_BREAK_SPACE)
        ) {
            return compiled;
        }
        const text = createElement("t");
        text.setAttribute(
            "t-out",
            JSON.stringify(node.nodeValue.replace(OTHER_SPACES, " "))
        );
        return text;
    },
});
