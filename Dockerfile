FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY .requirements/build.txt .requirements/run.txt .requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r .requirements/build.txt \
    && python -m venv --without-pip /opt/checkout \
    && /opt/build/bin/pip --python /opt/checkout/bin/python install --require-hashes -r .requirements/run.txt
COPY pyproject.toml ./
COPY generated generated
COPY service service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
    && /opt/build/bin/pip --python /opt/checkout/bin/python install --no-deps /opt/wheels/*.whl
# Babel knows a thousand locales, in 32 MB, and the sandbox's page speaks a few languages.
RUN set -- && for page in service/sandbox/page/languages/*.json; do \
        set -- "$@" ! -name "$(basename "$page" .json).dat"; \
    done \
    && find /opt/checkout/lib -path '*/babel/locale-data/*.dat' ! -name root.dat "$@" -delete

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin checkout \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /opt/checkout /opt/checkout
# Inside a container the loopback address reaches nobody.
ENV PATH=/opt/checkout/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    CHECKOUT_GRPC_ADDRESS=0.0.0.0:50051 \
    CHECKOUT_WEB_ADDRESS=0.0.0.0:8080 \
    CHECKOUT_STORE_URL=sqlite:////data/checkout.sqlite3
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 50051 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["checkout", "health"]
ENTRYPOINT ["checkout"]
CMD ["serve"]
