from . import sms_ovh_counter_mixin  # before the models that inherit it
from . import sms_ovh_answer_mixin  # likewise
from . import sms_ovh_guard_mixin  # likewise
from . import sms_ovh_checked_mixin  # likewise
from . import sms_ovh_hours  # likewise
from . import base
from . import ir_actions_server
from . import ir_cron
from . import ir_http
from . import mail_notification
from . import mail_thread
from . import mail_render_mixin
from . import mailing_contact
from . import mailing_list
from . import mailing_mailing
from . import mailing_mailing_estimate
from . import mailing_mailing_hours
from . import mailing_mailing_cancel
from . import mailing_mailing_progress
from . import mailing_mailing_results
from . import mailing_subscription
from . import mailing_trace
from . import phone_blacklist
from . import res_company
from . import res_config_settings
from . import res_partner
from . import sms_ovh_account
from . import sms_ovh_account_access
from . import sms_ovh_account_answers
from . import sms_ovh_dashboard
from . import sms_ovh_estimate
from . import sms_ovh_event
from . import sms_ovh_job
from . import sms_ovh_job_hours
from . import sms_ovh_log
from . import sms_ovh_number_check
from . import sms_ovh_privacy
from . import sms_ovh_rate
from . import sms_ovh_reply
from . import sms_ovh_report
from . import sms_ovh_exception
from . import sms_ovh_sender
from . import sms_ovh_sender_country
from . import sms_ovh_stop
from . import sms_ovh_user
from . import sms_sms
from . import sms_sms_cancel
from . import sms_template
from . import sms_tracker
