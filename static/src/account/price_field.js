import {FloatField, floatField} from "@web/views/fields/float/float_field";
import {registry} from "@web/core/registry";

/** A price that may be unknown: it is empty then, since 0 would read as free. */
export class PriceField extends FloatField {
    get formattedValue() {
        return this.value ? super.formattedValue : "";
    }
}

registry.category("fields").add("sms_ovh_price", {
    ...floatField,
    component: PriceField,
});
