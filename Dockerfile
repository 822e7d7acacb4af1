# The operator: Node and one bundle on a base without a shell. `docker build .` and `buildah bud .` both work.

# The Node that runs the operator is the one of this image, the very version that the tests run on (package.json, devDependencies).
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No install scripts: nothing that the bundle is made of needs one.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts
# What the last stage gets, with its folders: Node, the bundle, an empty folder to work in, and what starts Node without core dumps.
RUN set -eu; \
    mkdir -p /image/app /image/empty /image/usr/local/bin; \
    cp dist/operator.mjs /image/app/; \
    cp "$(command -v node)" /image/usr/local/bin/node; \
    cp --parents --dereference "$(command -v prlimit)" /image/; \
    ldd "$(command -v prlimit)" | awk '/libsmartcols/ { print $3 }' | xargs -I{} cp --parents --dereference {} /image/

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="keyferry" \
      org.opencontainers.image.description="Ferries versioned secrets from secret managers into Kubernetes clusters."
COPY --from=build /image/ /
# One arena: the allocator of libc otherwise keeps some for each thread, and memory that nobody uses.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
USER 65532:65532
WORKDIR /empty
EXPOSE 8080
# No core dumps; a heap that leaves room for buffers below the container's limit; no code from strings, no `__proto__`, no inspector.
ENTRYPOINT ["/usr/bin/prlimit", "--core=0:0", "--", \
            "/usr/local/bin/node", \
            "--max-old-space-size-percentage=60", \
            "--optimize-for-size", \
            "--disallow-code-generation-from-strings", \
            "--disable-proto=delete", \
            "--disable-sigusr1", \
            "/app/operator.mjs"]
