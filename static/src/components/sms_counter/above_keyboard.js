import {useEffect} from "@odoo/owl";
import {useService} from "@web/core/utils/hooks";

/**
 * On a phone, keep a line above the keyboard while something is typed, whatever the
 * browser does to make room: some shrink the page, most lay the keyboard over it.
 *
 * @param {Function} getInput returns what is typed into, while it is there
 * @param {Function} getLine returns the line, whose parent keeps its place in the page
 */
export function useAboveKeyboard(getInput, getLine) {
    const ui = useService("ui");
    useEffect(
        (input) => {
            const viewport = window.visualViewport;
            if (!input || !viewport) {
                return;
            }
            const place = () => {
                const line = getLine();
                if (!line) {
                    return;
                }
                const end = viewport.offsetTop + viewport.height;
                const own = line.parentElement.getBoundingClientRect().top;
                const isHidden =
                    ui.isSmall &&
                    document.activeElement === input &&
                    own + line.offsetHeight > end;
                line.classList.toggle("o_sms_ovh_above_keyboard", isHidden);
                line.style.bottom = isHidden
                    ? `${Math.max(0, window.innerHeight - end)}px`
                    : "";
            };
            const targets = [
                [viewport, "resize"],
                [viewport, "scroll"],
                [document, "scroll"],
                [input, "focus"],
                [input, "blur"],
                [input, "input"],
            ];
            for (const [target, type] of targets) {
                target.addEventListener(type, place, {capture: true, passive: true});
            }
            return () => {
                for (const [target, type] of targets) {
                    target.removeEventListener(type, place, {capture: true});
                }
            };
        },
        () => [getInput()]
    );
}
