import { createServer } from 'node:net'
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ConfigurationError, readBoth, readEnv, wholeNumber } from '../../platform/env.ts'
import { explainFailure } from '../../platform/run-main.ts'
import { z } from 'zod'

test('a taken port is named, with the variable that changes it', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const error = await new Promise((resolve) => createServer().once('error', resolve).listen(port, '127.0.0.1'))
  t.match(explainFailure(error), new RegExp(`Port ${port} is in use.*PORT`))
})

test('a data folder that is a file is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'exora-start-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'file')
  await writeFile(path, '')
  const error: unknown = await mkdir(join(path, 'below')).catch((refused: unknown) => refused)
  t.match(explainFailure(error), /file.*is not a folder/)
})

test('what we do not know is told whole', async (t) => {
  t.match(explainFailure(new Error('something else')), /something else\n +at /)
})

test('two wrong configurations are told in one error, each variable once', async (t) => {
  const [first, second] = [
    z.object({ A: wholeNumber(), BOTH: wholeNumber() }),
    z.object({ B: wholeNumber(), BOTH: wholeNumber() }),
  ]
  const source = { A: 'x', B: 'y', BOTH: 'z' }
  const read = () =>
    readBoth(
      () => readEnv(first, source),
      () => readEnv(second, source),
    )
  t.throws(read, ConfigurationError)
  try {
    read()
  } catch (error) {
    t.same(
      explainFailure(error)
        .split('\n')
        .map((line) => line.trim().split(':')[0]),
      ['The configuration is not usable', 'A', 'BOTH', 'B'],
    )
  }
})
