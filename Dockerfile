# The server, the burst client and all other commands of vaultstorm, from this checkout, as a user who is not root.
#
#   docker build --tag vaultstorm .
#   docker run --rm vaultstorm --help
#
# Any base with python3 (3.11 or newer) and its venv module will do: --build-arg BASE=NAME.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# A package index, or a folder of wheels, of your own: --build-arg PIP_INDEX_URL=… and so on, as pip has them.
ARG PIP_INDEX_URL=
ARG PIP_FIND_LINKS=
ARG PIP_NO_INDEX=
WORKDIR /build
COPY . checkout
# Of two environments one has pip, and only the other, which has not, goes into the image.
RUN python3 -m venv tools \
    && python3 -m venv --without-pip /opt/vaultstorm \
    && tools/bin/pip --python /opt/vaultstorm/bin/python install --quiet --no-cache-dir \
        --disable-pip-version-check --constraint checkout/constraints.txt ./checkout \
    && install --mode=0644 checkout/containers/healthcheck.py /opt/vaultstorm/healthcheck.py

FROM ${BASE}
COPY --from=build /opt/vaultstorm /opt/vaultstorm
ENV PATH=/opt/vaultstorm/bin:$PATH PYTHONDONTWRITEBYTECODE=1
# A new volume that is mounted on /tls takes its owner from here. In it ca.pem is for all, the keys for him alone.
RUN useradd --create-home --uid 1000 vaultstorm \
    && install --directory --owner=vaultstorm /tls
USER 1000:1000
WORKDIR /home/vaultstorm
EXPOSE 443
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["python", "-I", "/opt/vaultstorm/healthcheck.py"]
ENTRYPOINT ["vaultstorm"]
CMD ["serve", "--host", "0.0.0.0", "--tls-dir", "/tls"]
