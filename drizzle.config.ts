import { defineConfig } from 'drizzle-kit'
import { studioDatabaseUrl } from './db/embedded/connection-file.ts'

// `npx drizzle-kit studio` reads DATABASE_DIRECT_URL or DATABASE_URL; with neither set it follows the
// connection file that the running embedded database leaves beside its data (mode 0600).
export default defineConfig({
  dialect: 'postgresql',
  casing: 'snake_case',
  schema: './db/schema/index.ts',
  out: './db/migrations',
  dbCredentials: { url: studioDatabaseUrl(process.env) },
  schemaFilter: ['public', 'login'],
  strict: true,
})
