import os

SECRET_KEY = os.environ.get("SECRET_KEY", "only for the example")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["privy.django"]
MIDDLEWARE = ["middleware.PrivyErrors"]
STATIC_URL = "static/"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

# The token comes from PRIVY_API_TOKEN. A page cannot wait for minutes, so that max_wait is short.
PRIVY = {"MAX_WAIT": 5, "SANDBOX": "PRIVY_API_TOKEN" not in os.environ}
