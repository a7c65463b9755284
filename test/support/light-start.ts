/**
 * Preloaded into test processes, and by inheritance into what they start: two things that took most of a start.
 *
 * For each import that ends in a package, Node parses that package's whole list of entry points again. drizzle-orm's is
 * 130 kB long and its hundred modules import each other 600 times; here the answers are known without looking.
 */
import { registerHooks } from 'node:module'
import type { ResolveFnOutput } from 'node:module'

const inside = '/node_modules/drizzle-orm/'
const known = new Map<string, ResolveFnOutput>()

registerHooks({
  resolve: (specifier, context, next) => {
    const { parentURL = '' } = context
    if (parentURL.includes(inside)) {
      const isSibling = specifier.startsWith('.') && specifier.endsWith('.js') && parentURL.endsWith('.js')
      if (!isSibling) return next(specifier, context)
      return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
    }
    if (!specifier.startsWith('drizzle-orm') || parentURL.includes('/node_modules/')) return next(specifier, context)

    const found = known.get(specifier) ?? next(specifier, context)
    known.set(specifier, found)
    return { ...found, shortCircuit: true }
  },
})

// For coverage, which we do not measure, tap reads each module again, and its source map. It asks this before it starts.
process.env['_TAPJS_PROCESSINFO_EXCLUDE_'] = '/./'

// By its whole path, wherever they start. Options of the caller stay, but for tap's own hooks, which cost another start.
const given = (process.env['NODE_OPTIONS'] ?? '').split(' ')
const others = given.filter((option) => !/@tapjs|light-start\.ts/.test(option)).join(' ')
process.env['NODE_OPTIONS'] = `${others} --import=${import.meta.url}`.trim()
