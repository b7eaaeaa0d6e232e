from . import test_delivery
from . import test_gsm7
from . import test_ovh_client
from . import test_sms_api
from . import test_sms_ovh_account
from . import test_sms_segments
from . import test_sms_sms
from . import test_ui
