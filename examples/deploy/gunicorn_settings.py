"""gunicorn for a site of yours, as ``mysite/gunicorn_settings.py``."""

bind = "127.0.0.1:8000"
workers = 2
# A refusal waits for a pool's answer in its thread: some to spare, or a slow pool stops the site.
threads = 8
timeout = 30  # seconds
graceful_timeout = 5
