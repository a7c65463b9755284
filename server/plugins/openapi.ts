import swagger from '@fastify/swagger'
import scalar from '@scalar/fastify-api-reference'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { uploadForm } from '../routes/uploads/schema.ts'
import type { Server } from '../types.ts'
import { notFound } from './errors.ts'

/** Must be added before the routes that it describes. */
export function addOpenApi(app: Server): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Exora',
        description: 'Turns medical documents into facts, each with the place on the page that it came from.',
        version: '0.1.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: (route) => {
      const described = jsonSchemaTransform(route)
      const isUpload = route.url === '/documents/upload' && route.route.method === 'POST'
      return isUpload ? { ...described, schema: { ...described.schema, body: uploadForm } } : described
    },
  })
  app.register(scalar, {
    routePrefix: '/docs/reference',
    // Of this plugin only the script is used: its page holds inline scripts, which our policy forbids.
    hooks: {
      onRequest: (request, _reply, done) => done(request.url.startsWith(scriptPath) ? undefined : notFound()),
    },
  })
  app.register(async (pages) => {
    pages.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
    pages.get('/docs', { schema: { hide: true } }, (_request, reply) =>
      reply
        .header('content-security-policy', policy)
        .header('cross-origin-embedder-policy', 'unsafe-none')
        .type('text/html; charset=utf-8')
        .send(page),
    )
  })
}

const scriptPath = '/docs/reference/js/scalar.js'
// The reference writes its own style sheets; scripts come from here alone and go nowhere else.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const settings = JSON.stringify({
  withDefaultFonts: false,
  hideClientButton: true,
  telemetry: false,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
})
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Exora API</title>
  </head>
  <body>
    <script id="api-reference" data-url="/openapi.json" data-configuration="${settings.replaceAll('"', '&quot;')}"></script>
    <script src="${scriptPath}"></script>
  </body>
</html>
`
