# The gateway with the Claude Code CLI. compose.yaml says how to run it.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN python -m venv /opt/dragoman
COPY requirements requirements
# cli.txt is the extra `cli`; of its wheel, only the CLI's binary is needed
RUN /opt/dragoman/bin/python -m pip install --require-hashes --no-deps \
    -r requirements/run.txt -r requirements/cli.txt
RUN python -m pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE models.yaml ./
COPY gateway gateway
COPY plugins plugins
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/dragoman/bin/python -m pip install --no-deps /wheels/*.whl

FROM python:3.13-slim
# so that it may run as whoever owns the folders that are mounted into it
RUN useradd --uid 1000 --create-home dragoman && chmod 1777 /home/dragoman
COPY --from=build /opt/dragoman /opt/dragoman
ENV PATH=/opt/dragoman/bin:$PATH HOME=/home/dragoman PYTHONUNBUFFERED=1
USER 1000:1000
WORKDIR /
# the only place that it writes to, besides /tmp
VOLUME /home/dragoman
EXPOSE 3456
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 3456, timeout=8); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["dragoman"]
# to reach it from outside of the container; it then starts only with a key (DRAGOMAN_API_KEY)
CMD ["serve", "--host", "0.0.0.0", "--port", "3456"]
