from . import sms_ovh_counter_mixin  # before the models that inherit it
from . import sms_ovh_answer_mixin  # likewise
from . import ir_http
from . import mail_notification
from . import mailing_mailing
from . import mailing_mailing_answers
from . import mailing_mailing_hours
from . import mailing_trace
from . import phone_blacklist
from . import res_company
from . import res_config_settings
from . import sms_ovh_account
from . import sms_ovh_account_connection
from . import sms_ovh_account_console
from . import sms_ovh_account_dashboard
from . import sms_ovh_event
from . import sms_ovh_job
from . import sms_ovh_log
from . import sms_ovh_account_answers
from . import sms_ovh_reply
from . import sms_ovh_sender
from . import sms_ovh_stop
from . import sms_ovh_user
from . import sms_sms
from . import sms_sms_stops
from . import sms_template
from . import sms_tracker
