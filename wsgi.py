"""What gunicorn serves: the application, configured from the environment."""

from lithium_script.app import create_app
from lithium_script.settings import Settings

app = create_app(Settings.from_env())
