# The example project; a site of your own needs little more than another name in the last line.
FROM python:3.13-slim

RUN useradd --create-home site && install --directory --owner=site /run/cognito /run/beat
WORKDIR /srv/site
COPY requirements/demo.txt requirements/demo.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/demo.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER site
ENV PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["gunicorn", "--config", "python:example_project.gunicorn_settings", "--bind", "0.0.0.0:8000", "example_project.wsgi"]
