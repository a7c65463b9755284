import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MigrateOptions } from '../../db/migrate.ts'
import type { Teardown } from './postgres.ts'
import { scratchRoot } from './scratch.ts'

const repository = join(import.meta.dirname, '../..')
const migrations = join(repository, 'db/migrations')

type Journal = { readonly entries: readonly { readonly tag: string }[] }
const readJournal = (folder: string): Journal => JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))

/** The migrations there are, oldest first. */
export const migrationTags: readonly string[] = readJournal(migrations).entries.map(({ tag }) => tag)

/** The migrations up to one of them, with nothing but what tables stand on and their protection. */
function tablesAsOf(t: Teardown, tag: string): Required<Omit<MigrateOptions, 'lockTimeoutMs'>> {
  const { migrationsFolder, sqlFolder } = emptyFolders(t)
  cutMigrations(migrationsFolder, tag)
  const present = join(repository, 'db/sql')
  const first = readdirSync(present).filter((name) => Number.parseInt(name, 10) <= 10)
  for (const name of first) cpSync(join(present, name), join(sqlFolder, name))
  return { migrationsFolder, sqlFolder }
}

/**
 * What an installation ran on that was last migrated while this migration was the newest: its SQL files are those of
 * the commit before the next migration came (of the newest one: those that it came with). Of a migration that is not
 * committed yet, and in a shallow clone, whose history does not reach so far, the tables alone.
 */
export function releasedAs(t: Teardown, tag: string): Required<Omit<MigrateOptions, 'lockTimeoutMs'>> {
  const commit = lastCommitOf(tag)
  if (commit === null) {
    const mayBeUnknown = tag === migrationTags.at(-1) || git(['rev-parse', '--is-shallow-repository']).trim() === 'true'
    if (!mayBeUnknown) throw new Error(`the history does not tell which SQL files went with ${tag}`)
    return tablesAsOf(t, tag)
  }
  const { migrationsFolder, sqlFolder } = emptyFolders(t)
  cutMigrations(migrationsFolder, tag)
  // An index of its own: the one of the checkout is not touched.
  const env = { ...process.env, GIT_INDEX_FILE: join(migrationsFolder, 'index') }
  git(['read-tree', `${commit}:db/sql`], env)
  git(['checkout-index', '--all', `--prefix=${sqlFolder}/`], env)
  return { migrationsFolder, sqlFolder }
}

function lastCommitOf(tag: string): string | null {
  const next = migrationTags[migrationTags.indexOf(tag) + 1]
  if (next === undefined) return commitThatAdded(tag)
  const addedNext = commitThatAdded(next)
  return addedNext === null ? 'HEAD' : existingCommit(`${addedNext}^`)
}

function commitThatAdded(tag: string): string | null {
  // A migration that got its number in a merge is added by no other commit.
  const asMerged = ['--first-parent', '-m', '--no-renames', '--diff-filter=A', '--format=%H']
  const found = git(['log', ...asMerged, '--', `db/migrations/${tag}.sql`])
  return found.trim().split('\n').at(-1) || null
}

function existingCommit(name: string): string | null {
  try {
    return git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]).trim()
  } catch {
    return null
  }
}

function git(command: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync('git', command, { cwd: repository, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function cutMigrations(folder: string, tag: string): void {
  cpSync(migrations, folder, { recursive: true })
  const journal = readJournal(folder)
  const entries = journal.entries.slice(0, migrationTags.indexOf(tag) + 1)
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }))
}

function emptyFolders(t: Teardown): Required<Omit<MigrateOptions, 'lockTimeoutMs'>> {
  const folder = mkdtempSync(join(scratchRoot(), 'exora-released-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const folders = { migrationsFolder: join(folder, 'migrations'), sqlFolder: join(folder, 'sql') }
  for (const path of Object.values(folders)) mkdirSync(path)
  return folders
}

/** Rows as people had made them by then, in the words of that time; empty when a migration came with none. */
export function recordAsOf(tag: string): string {
  const path = join(repository, `test/fixtures/upgrades/${tag}.sql`)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
