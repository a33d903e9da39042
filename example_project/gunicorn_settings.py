"""gunicorn for the example project.

Use it as ``gunicorn --config python:example_project.gunicorn_settings example_project.wsgi``.

`WEB_CONCURRENCY` is the number of processes (gunicorn's own variable, 1 if not set), `PORT` the port on loopback; put
a reverse proxy with TLS in front of it.
"""

import os

bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"
threads = 8
# The settings are read once, before the processes part: without SECRET_KEY they share the key made up at the start.
preload_app = True
timeout = 30  # seconds; the longest step is an answer checked by a slow pool
graceful_timeout = 5
# Its place is the same for every gunicorn of a user, and nobody here talks to it.
control_socket_disable = True
