import { posix } from 'node:path'

/** Paths from the root of the repository, with their text. */
export type SourceTree = ReadonlyMap<string, string>

type Rule = {
  /** The files it speaks of: a folder with its slash, or one file. The longest that fits decides. */
  readonly from: string
  readonly mayImport: readonly string[]
  /** Only as `import type`, which is gone at run time. */
  readonly mayImportTypes?: readonly string[]
  readonly forbiddenPackages?: readonly RegExp[]
}

const webFramework = /^(fastify|@fastify\/|fastify-|better-auth)/
const providerPackages = /^(openai|@google-cloud\/|tesseract\.js|@aws-sdk\/)/

/** Who may import whom. Everything may import itself; what is not named here may import nothing of ours. */
export const rules: readonly Rule[] = [
  { from: 'platform/', mayImport: [] },
  { from: 'db/', mayImport: ['platform/'], forbiddenPackages: [webFramework, providerPackages] },
  { from: 'jobs/', mayImport: ['platform/', 'db/'], forbiddenPackages: [webFramework, providerPackages] },
  {
    from: 'clinical/',
    mayImport: ['platform/', 'db/schema/', 'db/queries/'],
    // It takes a transaction and never opens one.
    mayImportTypes: ['db/'],
    forbiddenPackages: [webFramework, providerPackages],
  },
  { from: 'server/', mayImport: ['platform/', 'db/', 'jobs/', 'clinical/'], forbiddenPackages: [providerPackages] },
  {
    from: 'worker/',
    mayImport: ['platform/', 'db/', 'jobs/', 'clinical/'],
    forbiddenPackages: [webFramework],
  },
  {
    from: 'worker/engine/',
    mayImport: ['platform/', 'db/', 'jobs/'],
    forbiddenPackages: [webFramework, providerPackages],
  },
  { from: 'worker/providers/', mayImport: ['platform/'], forbiddenPackages: [webFramework] },
  {
    from: 'worker/pipeline/',
    mayImport: ['platform/', 'clinical/', 'worker/providers/*/provider.ts'],
    mayImportTypes: ['db/'],
    forbiddenPackages: [webFramework, providerPackages],
  },
  {
    from: 'worker/handlers/',
    mayImport: ['platform/', 'db/', 'jobs/', 'clinical/', 'worker/pipeline/', 'worker/providers/'],
    mayImportTypes: ['worker/engine/'],
    forbiddenPackages: [webFramework],
  },
  // Runs in browsers and phones, and is taken by projects that know nothing of ours: not even a type, and no package.
  { from: 'client/', mayImport: [], forbiddenPackages: [/./] },
  { from: 'web/', mayImport: [], mayImportTypes: ['server/routes/*/schema.ts'] },
  // Beside the house: they may look into all of it, and nothing looks at them.
  ...['test/', 'bench/', 'docs/', 'scripts/', 'drizzle.config.ts'].map((from) => ({ from, mayImport: ['*'] })),
]

export type Import = { readonly from: string; readonly target: string; readonly kind: 'run_time' | 'type' }

export function findImportViolations(tree: SourceTree): string[] {
  return [...tree].flatMap(([path, text]) => importsOf(path, text).flatMap((found) => judge(found)))
}

/** Each cycle once, as the files it goes through. Types are gone at run time and cannot close one. */
export function findCycles(tree: SourceTree): string[] {
  const targets = new Map(
    [...tree].map(([path, text]) => [
      path,
      importsOf(path, text).flatMap(({ target, kind }) => (kind === 'run_time' && tree.has(target) ? [target] : [])),
    ]),
  )
  const cycles = new Map<string, string>()
  const finished = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) {
      const cycle = trail.slice(start)
      cycles.set(cycle.toSorted().join(), [...cycle, path].join(' → '))
      return
    }
    if (finished.has(path)) return
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path])
    finished.add(path)
  }
  for (const path of targets.keys()) walk(path, [])
  return [...cycles.values()]
}

const forbiddenName = /^(.*[-.])?(utils?|helpers?|common|misc)([-.].*)?$/i

export function findForbiddenNames(paths: Iterable<string>): string[] {
  const names = [...paths].flatMap((path) =>
    path.split('/').map((_part, index, parts) => parts.slice(0, index + 1).join('/')),
  )
  return [...new Set(names)].filter((name) => forbiddenName.test(posix.basename(name)))
}

export type LongFile = { readonly path: string; readonly lines: number; readonly reason: string | null }

const maxLines = 300
const reasonPattern = /longer than 300 lines[^\n]*/i

/** Files over 300 lines, with the reason from a comment in their first five lines: "Longer than 300 lines because …". */
export function findLongFiles(tree: SourceTree): LongFile[] {
  return [...tree].flatMap(([path, text]) => {
    const lines = text.trimEnd().split('\n')
    if (lines.length <= maxLines) return []
    const comments = lines.slice(0, 5).filter((line) => /^\s*(\/\/|\/?\*|--)/.test(line))
    return [{ path, lines: lines.length, reason: reasonPattern.exec(comments.join('\n'))?.[0] ?? null }]
  })
}

function judge({ from, target, kind }: Import): string[] {
  const rule = rules.filter((one) => fits(from, one.from)).toSorted((a, b) => b.from.length - a.from.length)[0]
  if (rule === undefined) return [`${from}: this place is not in the plan of the house`]
  if (!isOurs(target)) {
    const isForbidden = rule.forbiddenPackages?.some((pattern) => pattern.test(target)) ?? false
    return isForbidden ? [`${from} may not use the package ${target}`] : []
  }
  const isAllowed =
    ruleOf(target) === rule ||
    rule.mayImport.some((place) => fits(target, place)) ||
    (kind === 'type' && (rule.mayImportTypes ?? []).some((place) => fits(target, place)))
  // `worker/` itself is where everything is put together.
  const isTogether = rule.from === 'worker/' && target.startsWith('worker/')
  return isAllowed || isTogether ? [] : [`${from} may not import ${target}${kind === 'type' ? ' even as a type' : ''}`]
}

function ruleOf(path: string): Rule | undefined {
  return rules.filter((one) => fits(path, one.from)).toSorted((a, b) => b.from.length - a.from.length)[0]
}

/** `*` stands for one name, alone for everything. */
function fits(path: string, place: string): boolean {
  if (place === '*' || path === place) return true
  if (place.includes('*')) return new RegExp(`^${place.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`).test(path)
  return place.endsWith('/') && path.startsWith(place)
}

const isOurs = (target: string) => target.endsWith('.ts') || target.endsWith('.tsx')

const statement = /^\s*(?:import|export)\s+(?<type>type\s+)?(?:[^'"`;]*?\sfrom\s*)?['"](?<target>[^'"]+)['"]/gm
// A module that is run in a thread or a process of its own is imported all the same.
const dynamic =
  /\bimport\(\s*['"](?<target>[^'"]+)['"]|new URL\(\s*['"](?<file>\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url/g

/** All imports of a file; targets of ours as paths from the root, packages by name. */
export function importsOf(path: string, text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const resolve = (target: string) =>
    target.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), target)) : target
  const declared = [...code.matchAll(statement)].map(({ groups }): Import => ({
    from: path,
    target: resolve(groups?.['target'] ?? ''),
    kind: groups?.['type'] ? 'type' : 'run_time',
  }))
  const loaded = [...code.matchAll(dynamic)].map(({ groups }): Import => ({
    from: path,
    target: resolve(groups?.['target'] ?? groups?.['file'] ?? ''),
    kind: 'run_time',
  }))
  return [...declared, ...loaded]
}
