from . import main
from . import subscription
