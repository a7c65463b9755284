import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { openStore } from '../../../platform/storage/index.ts'
import { parseS3Url } from '../../../platform/storage/s3-location.ts'

test('one address says bucket, prefix, endpoint, region and how they are put together', async (t) => {
  t.same(parseS3Url('s3://exora-files'), {
    bucket: 'exora-files',
    prefix: '',
    endpoint: null,
    region: null,
    addressing: 'host',
  })
  t.same(parseS3Url('s3://exora-files/live/eu/?endpoint=https://store.test:9000/s3&region=eu-1&path_style=true'), {
    bucket: 'exora-files',
    prefix: 'live/eu/',
    endpoint: 'https://store.test:9000/s3',
    region: 'eu-1',
    addressing: 'path',
  })
  t.match(parseS3Url('s3://exora-files?endpoint=https://store.test'), { region: 'us-east-1', addressing: 'host' })
})

test('a wrong address is refused in words that do not repeat it', async (t) => {
  for (const rest of [
    '//',
    '//X',
    '//files:99',
    '//key:hunter2@files',
    '//files/../hunter2',
    '//files/a b',
    '//files?endpoint=hunter2',
    '//files?endpoint=ftp://hunter2',
    '//files?endpoint=https://key:hunter2@store.test',
    '//files?region=eu%20hunter2',
    '//files?path_style=perhaps',
    '//files?secret=hunter2',
  ]) {
    const error: unknown = await openStore({ storageUrl: `s3:${rest}`, dataDir: '/nowhere' }).catch((e: unknown) => e)
    t.match(error, { name: 'ConfigurationError', message: /^STORAGE_URL: / }, rest)
    t.notMatch(String(error), 'hunter2')
  }
})

const withoutAny = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere', PATH: process.env['PATH'] ?? '' }

test('a store without a region or without keys is said to be so at the start', async (t) => {
  t.match(await open('s3://exora-files', withoutAny), /^ConfigurationError: STORAGE_URL: region/)
  const atHome = 's3://exora-files?endpoint=http://127.0.0.1:9'
  t.match(await open(atHome, withoutAny), /^ConfigurationError: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY/)
})

test('the SDK is loaded by those who use it and by nobody else', async (t) => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  t.equal(await open('s3://exora-files?endpoint=http://127.0.0.1:9', { ...withoutAny, ...keys }), 'opened with the SDK')
  t.equal(await open('file:.', withoutAny), 'opened without the SDK')
})

/** Opens it in a process of its own, with this environment and no other. */
async function open(storageUrl: string, env: Record<string, string>): Promise<string> {
  const program = `
    import { createRequire } from 'node:module'
    import { openStore } from ${JSON.stringify(new URL('../../../platform/storage/index.ts', import.meta.url).href)}
    const said = await openStore({ storageUrl: ${JSON.stringify(storageUrl)}, dataDir: '/nowhere' }).then(
      () => 'opened',
      (error) => String(error),
    )
    const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('client-s3'))
    console.log(said === 'opened' ? said + (loaded ? ' with the SDK' : ' without the SDK') : said)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', program], {
    env,
  })
  return stdout.trim()
}
