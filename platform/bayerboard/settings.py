"""Settings: all from the environment, typed, loud. Without any, the embedded mode: SQLite, local disk, own Valkey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF
from django.urls import reverse_lazy

from bayerboard.lib import embedded, env, logs
from bayerboard.lib.storage.s3_address import S3Address

django_stubs_ext.monkeypatch()

# --- Where things lie ---------------------------------------------------------------------------------------------

PACKAGE_DIR = Path(__file__).resolve().parent
DATA_DIR = embedded.make_data_dir(env.path("BAYERBOARD_DATA", Path.cwd() / "var"))
RUNTIME_DIR = embedded.runtime_dir(DATA_DIR)

# --- Security -----------------------------------------------------------------------------------------------------

_database = env.postgres("DATABASE_URL")
# A site with its own database server is no laptop trial: it must bring its own secret.
EMBEDDED = _database is None

DEBUG = env.boolean("BAYERBOARD_DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", embedded.secret_key(DATA_DIR) if EMBEDDED else None)
ALLOWED_HOSTS = env.words("BAYERBOARD_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("BAYERBOARD_ORIGINS", [])
# Where people reach the site: what links in e-mails begin with.
SITE_URL = env.text("BAYERBOARD_URL", next(iter(CSRF_TRUSTED_ORIGINS), "http://localhost:8000")).rstrip("/")
HTTPS = env.boolean("BAYERBOARD_HTTPS", default=False)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Asked from inside, without the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$"]
    SECURE_HSTS_SECONDS = 31_536_000
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Style sheets may hold small pictures as data: URLs; scripts and styles come from our own files alone.
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- Django -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "bayerboard.mails",
    "bayerboard.accounts",
    "bayerboard.challenges",
    "bayerboard.teams",
    "bayerboard.uploads",
    "bayerboard.submissions",
    "bayerboard.evaluations",
    "bayerboard.leaderboards",
    "bayerboard.results",
    "bayerboard.rescoring",
    "bayerboard.importing",
    "bayerboard.runs",
    "bayerboard.notices",
    "bayerboard.pages",
    "bayerboard.demo",
    "bayerboard.operations",
    "bayerboard.lib",
    "bayerboard.operations.admin_site.OperatorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bayerboard.lib.requests.LogRequests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bayerboard.lib.middleware.StorageFailures",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "bayerboard.urls"
WSGI_APPLICATION = "bayerboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bayerboard.lib.context.site",
                "bayerboard.pages.context.notices",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Database -----------------------------------------------------------------------------------------------------

_sqlite: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA_DIR / "bayerboard.sqlite3",
    "OPTIONS": {
        # IMMEDIATE: a transaction that will write waits for its turn at the start instead of failing in the middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # synchronous=FULL: an acknowledged submission must survive a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    },
    # Opening the file and reading its schema takes a fifth of a page.
    "CONN_MAX_AGE": 60,
    # Tests start real worker processes, which need a file.
    "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
}
DATABASES = {"default": _database or _sqlite}

# --- Memory -------------------------------------------------------------------------------------------------------

# Of each process its own. Boards and lists are remembered under all that they show: none can show what is past.
_memory = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _memory, "LOCATION": "default"},
    # A row of a board or a line of a list takes one or two kilobytes.
    "template_fragments": {"BACKEND": _memory, "LOCATION": "fragments", "OPTIONS": {"MAX_ENTRIES": 20_000}},
}

# --- Files --------------------------------------------------------------------------------------------------------

STORAGE_DIR = env.path("BAYERBOARD_STORAGE", DATA_DIR / "objects")
# With a bucket, objects lie there; STORAGE_DIR then holds only what is on its way.
S3 = S3Address.from_environment()
if S3 is not None:
    # The page's script sends the parts of an archive straight to the bucket.
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"] = [SELF, S3.browser_origin]
# Of references and inputs, on each worker machine; the local disk needs none.
COPIES_AT_MOST_BYTES = env.integer("BAYERBOARD_COPIES_AT_MOST_BYTES", 10 * 2**30)
# S3 takes parts of 5 MiB to 5 GiB. The smaller, the less a broken connection costs.
UPLOAD_PART_BYTES = env.integer("BAYERBOARD_UPLOAD_PART_BYTES", 8 * 2**20, minimum=5 * 2**20)
# On the storage's own disk, so that a finished upload is renamed into place and never copied.
UPLOAD_DIR = embedded.make_data_dir(STORAGE_DIR / "incoming")
FILE_UPLOAD_TEMP_DIR = str(UPLOAD_DIR)
# What workers keep of references from one submission to the next; safe to delete at any time.
REFERENCE_CACHE_DIR = env.path("BAYERBOARD_REFERENCE_CACHE", DATA_DIR / "cache" / "references")
REFERENCE_CACHE_BYTES = env.integer("BAYERBOARD_REFERENCE_CACHE_MB", 2_000) * 1_000_000
FILE_UPLOAD_PERMISSIONS = 0o600
STATIC_URL = "/static/"
# Made here: before the first `collectstatic`, WhiteNoise would warn of a folder that is not there.
STATIC_ROOT = embedded.make_data_dir(DATA_DIR / "static")
STATICFILES_DIRS = [PACKAGE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STORAGE_DIR},
    },
    "staticfiles": {"BACKEND": "bayerboard.lib.staticfiles.StaticFiles"},
}
# Without `collectstatic` (tests, a first look) the files are served from where they lie.
WHITENOISE_USE_FINDERS = True

# --- Accounts -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_ADAPTER = "bayerboard.accounts.adapter.AccountAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SESSION_REMEMBER = True
# The table of mails has limits of its own. This one would keep silent, and the page still speak of a mail on its way.
ACCOUNT_RATE_LIMITS = {"confirm_email": None}
# How many proxies add to X-Forwarded-For, from its end: an address that a client writes itself is never believed.
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer("BAYERBOARD_PROXIES", 1 if HTTPS else 0)

EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=True)
# A mail server that says nothing must not hold a worker.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "bayerboard@localhost")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
# Nobody can confirm an address where no mail goes out.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_HOST else "none"

# --- Tasks --------------------------------------------------------------------------------------------------------

EMBEDDED_BROKER = not env.text("REDIS_URL", "")
VALKEY_SOCKET = RUNTIME_DIR / "valkey.sock"
REDIS_URL = env.text("REDIS_URL", f"redis+socket://{VALKEY_SOCKET}")
# How long a worker may go without progress before its evaluation is given to another.
LEASE_S = env.integer("BAYERBOARD_LEASE_S", 120, minimum=5)
MAX_ATTEMPTS = env.integer("BAYERBOARD_MAX_ATTEMPTS", 3, minimum=1)
# How often beat looks for expired leases and for what is queued but was never claimed.
RECOVER_EVERY_S = env.integer("BAYERBOARD_RECOVER_EVERY_S", 15, minimum=1)
# How often beat clears what uploads left behind.
SWEEP_EVERY_S = env.integer("BAYERBOARD_SWEEP_EVERY_S", 300, minimum=1)
# How often beat looks which phases are over.
SETTLE_EVERY_S = env.integer("BAYERBOARD_SETTLE_EVERY_S", 30, minimum=1)
# How often beat sees to mails that wait.
MAIL_EVERY_S = env.integer("BAYERBOARD_MAIL_EVERY_S", 60, minimum=1)
# The libraries take 200 of it.
LEAST_WORKER_MEMORY_MB = 512
# How much memory a worker's process may have while it scores, its libraries included; 0: as much as there is.
WORKER_MEMORY_MB = env.integer("BAYERBOARD_WORKER_MEMORY_MB", 2048)
if 0 < WORKER_MEMORY_MB < LEAST_WORKER_MEMORY_MB:
    raise env.SettingError(f"BAYERBOARD_WORKER_MEMORY_MB must be 0 (no bound) or at least {LEAST_WORKER_MEMORY_MB}.")

# --- Logs ---------------------------------------------------------------------------------------------------------

# Lines of text for a person, of JSON for a machine that collects them.
LOG_FORMAT = env.choice("BAYERBOARD_LOG_FORMAT", ["text", "json"], "text" if EMBEDDED else "json")
LOGGING = logs.config(LOG_FORMAT, env.text("BAYERBOARD_LOG_LEVEL", "INFO").upper())

# --- Watching -----------------------------------------------------------------------------------------------------

# Who may read /metrics. Without it: nobody; in the embedded mode, this machine.
METRICS_TOKEN = env.text("BAYERBOARD_METRICS_TOKEN", "")
