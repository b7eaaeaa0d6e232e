from . import sms_ovh_figure
from . import sms_ovh_report
