# The image of hookserver. docs/guides/containers.md describes it.
#
#     docker build -t hookserver .
#     npm run image                  # builds it, and tries it

# The package has no code for one type of processor, so the machine's own processor builds it for all.
FROM --platform=$BUILDPLATFORM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /
WORKDIR /opt/hookserver
COPY deploy/image/package.json deploy/image/package-lock.json deploy/image/.npmrc ./
RUN npm ci && mkdir node_modules/hookserver \
  && tar -xzf /hookserver-*.tgz --strip-components=1 -C node_modules/hookserver \
  && find node_modules -type f -regex '.*\.\(d\.[mc]?ts\|map\)' -delete

# Node.js and the libraries that it links.
FROM node:24-slim AS node
RUN mkdir -p /image/etc /image/tmp /volume && chmod 1777 /image/tmp \
  && echo 'hookserver:x:65532:65532::/data:/sbin/nologin' > /image/etc/passwd \
  && echo 'hookserver:x:65532:' > /image/etc/group \
  && cp --dereference --parents /usr/local/bin/node $(ldd /usr/local/bin/node | grep -o '/[^ ]*') /image

# Without a shell and other programs. hookserver writes only to /data, so the root file system can be read-only.
FROM scratch
COPY --from=node /image /
COPY --from=node --chown=65532:65532 /volume /data
COPY --from=build /opt/hookserver /opt/hookserver
ENV NODE_ENV=production HOME=/data PATH=/usr/local/bin
USER 65532:65532
# The database, the admin token and the secret of --dev are in the current folder.
WORKDIR /data
VOLUME /data
EXPOSE 8000 8001
# Each role has the admin listener.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.HOOKSERVER_ADMIN_PORT ?? 8001}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node.js itself is process 1, so it gets SIGTERM. It needs 28 s to stop: `docker stop --time 40`.
ENTRYPOINT ["/usr/local/bin/node", "/opt/hookserver/node_modules/hookserver/dist/cli/main.js"]
CMD ["serve"]
