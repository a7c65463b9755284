import { openStore } from '../../platform/storage/index.ts'
import { parseS3Url } from '../../platform/storage/s3-location.ts'
import { openS3Store } from '../../platform/storage/s3.ts'
import type { Patience } from '../../platform/storage/s3.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { S3Server } from './s3-server.ts'
import type { S3Credentials } from './s3-signature.ts'

type TestStoreOptions = {
  readonly prefix?: string
  readonly credentials?: S3Credentials
  /** As usual, where it is not given. */
  readonly patience?: Patience
}

/** A store over this server, as `STORAGE_URL` and the environment would have it. */
export async function openS3TestStore(
  server: Pick<S3Server, 'bucket' | 'endpoint' | 'credentials'> & { readonly region?: string },
  { prefix = 'files', credentials = server.credentials, patience }: TestStoreOptions = {},
): Promise<Store> {
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey
  const endpoint = encodeURIComponent(server.endpoint)
  const storageUrl = `s3://${server.bucket}/${prefix}?endpoint=${endpoint}&region=${server.region ?? 'test-1'}&path_style=true`
  try {
    // Opening reads the credentials once and for all.
    if (patience !== undefined) return await openS3Store(parseS3Url(storageUrl), patience)
    return await openStore({ storageUrl, dataDir: '/nowhere' })
  } finally {
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
  }
}
