"""Production's settings, with one more page that takes as long as a test wants."""

from config.settings.production import *  # noqa: F403

ROOT_URLCONF = "config.tests.slow_urls"
