from . import sms_ovh_counter_mixin  # before the models that inherit it
from . import ir_http
from . import mail_notification
from . import mailing_mailing
from . import mailing_trace
from . import res_company
from . import res_config_settings
from . import sms_ovh_account
from . import sms_ovh_event
from . import sms_ovh_job
from . import sms_ovh_sender
from . import sms_sms
from . import sms_template
from . import sms_tracker
