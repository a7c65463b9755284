import { actors } from './actors.ts'
import type { ActorName } from './actors.ts'
import { forAccounts, forServices } from './functions.ts'
import type { Guard } from './functions.ts'
import { policies } from './policies.ts'
import { tables, views } from './tables.ts'
import type { Kind } from './tables.ts'

const marks = { from: '<!-- made by `npm run docs:access` -->', to: '<!-- end of what is made -->' }

/** The document with its generated part as the data says. */
export function withMatrix(document: string): string {
  const [before, rest] = document.split(marks.from)
  const after = rest?.split(marks.to)[1]
  if (before === undefined || after === undefined) throw new Error('docs/access.md has lost the marks of its made part')
  return `${before}${marks.from}\n\n${matrix()}\n\n${marks.to}${after}`
}

function matrix(): string {
  return [
    '### Who sees what of a child',
    seen(),
    'Besides, everybody sees their own profiles, and rows that name their account: what they were given, asked for, opened, used and were told. Nobody sees anything of anybody else.',
    '### What the kinds are',
    kinds(),
    'Clients write one table: `user_profiles`, of their own account, named columns. Every other write is a function.',
    '### When a row is open',
    rules(),
    'One policy for each table and verb. `profiles(level, kind)` are the profiles of which the account reaches this kind at this level (`accessible_profile_ids`). Services and the owner are let through by a policy of their own on every table, and held by grants; `patient_record` asks for `clinical` itself. On a table that is not named here an account has neither policy nor grant.',
    '### What accounts may call',
    calls(),
    `Only services: ${listed(forServices)}. Who has no token calls nothing; every other function is called by functions alone.`,
  ].join('\n\n')
}

const shown: readonly Kind[] = [
  'profile',
  'document',
  'clinical',
  'narrative',
  'consents',
  'sharing',
  'clinician access',
  'break-glass',
  'exports',
  'audit',
]

function seen(): string {
  const rows = (Object.keys(actors) as ActorName[]).map((name) => {
    const { who, sees }: { who: string; sees: readonly Kind[] } = actors[name]
    return [who, ...shown.map((kind) => (sees.includes(kind) ? '●' : ''))]
  })
  return table(['', ...shown], rows, '|---|' + ':-:|'.repeat(shown.length))
}

function kinds(): string {
  const all = Object.entries({ ...tables, ...views })
  const byKind = Map.groupBy(all, ([, { kind }]) => kind)
  return table(
    ['kind', 'tables and views'],
    [...byKind].map(([kind, members]) => [kind, listed(members.map(([name]) => name))]),
    '|---|---|',
  )
}

function rules(): string {
  const rows = policies.map(({ verb, rule, on }) => [verb, rule === 'true' ? 'always' : `\`${rule}\``, listed(on)])
  return table(['for', 'when', 'of'], rows, '|---|---|---|')
}

const meanings: Readonly<Record<Guard, string>> = {
  level: 'an access level on the person',
  decider: 'being the person, or a guardian',
  operator: 'being an operator (for `break_glass`, or a clinician)',
  clinician: 'being a verified clinician',
  own: 'reaches the caller’s own rows alone',
  'answers about oneself': 'answers about the caller alone',
  open: 'says nothing about anybody',
}

function calls(): string {
  const byGuard = Map.groupBy(Object.keys(forAccounts), (name) => forAccounts[name]?.guard ?? 'level')
  return table(
    ['what it asks for', 'functions'],
    [...byGuard].map(([guard, names]) => [meanings[guard], listed(names)]),
    '|---|---|',
  )
}

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ')

function table(head: readonly string[], rows: readonly (readonly string[])[], rule: string): string {
  return [`| ${head.join(' | ')} |`, rule, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n')
}
