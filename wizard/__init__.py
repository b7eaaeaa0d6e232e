from . import mailing_sms_test
from . import sms_composer
from . import sms_composer_hours
from . import sms_ovh_recharge
from . import sms_ovh_reply_settings
from . import sms_ovh_sender_request
from . import sms_ovh_service_choice
from . import sms_ovh_user_create
