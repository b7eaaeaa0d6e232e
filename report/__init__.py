from . import sms_ovh_report
