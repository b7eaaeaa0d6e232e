from . import sms_ovh_answer_mixin
from . import sms_ovh_checked_mixin
from . import sms_ovh_counter_mixin
from . import sms_ovh_guard_mixin
from . import sms_ovh_hours_mixin
