# One image; the command chooses: `node server/main.ts` (default), `node worker/main.ts`, `node scripts/migrate.ts`.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The platform packages of Node and PostgreSQL are optional dependencies for machines without them; here the image brings
# Node, and the database is a service of its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
  && npm install --no-save --ignore-scripts --include=optional "sharp@$(node -p "require('./package.json').dependencies.sharp")"

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
