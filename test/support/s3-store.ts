import { openStore } from '../../platform/storage/index.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { S3Server } from './s3-server.ts'
import type { S3Credentials } from './s3-signature.ts'

/** A store over this server, as `STORAGE_URL` and the environment would have it. */
export async function openS3TestStore(
  server: Pick<S3Server, 'bucket' | 'endpoint' | 'credentials'> & { readonly region?: string },
  { prefix = 'files', credentials = server.credentials }: { prefix?: string; credentials?: S3Credentials } = {},
): Promise<Store> {
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey
  const endpoint = encodeURIComponent(server.endpoint)
  const storageUrl = `s3://${server.bucket}/${prefix}?endpoint=${endpoint}&region=${server.region ?? 'test-1'}&path_style=true`
  try {
    // Opening reads the credentials once and for all.
    return await openStore({ storageUrl, dataDir: '/nowhere' })
  } finally {
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
  }
}
