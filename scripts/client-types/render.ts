import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { answered, asked } from './shown.ts'
import type { Shown } from './shown.ts'

type Shape = z.core.JSONSchema.BaseSchema

const head = `// Longer than 300 lines because it is one list. Made by \`npm run client:types\` from the schemas that the server checks with.
`
const formatter = fileURLToPath(new URL('../../node_modules/.bin/oxfmt', import.meta.url))

/** The types that the client has of the API: plain, so that whoever takes them needs neither zod nor the server. */
export function renderClientTypes(): string {
  const text = head + renderAll(asked, 'input') + renderAll(answered, 'output')
  return execFileSync(formatter, ['--stdin-filepath=types.ts'], { input: text, encoding: 'utf8' })
}

function renderAll(shown: Shown, io: 'input' | 'output'): string {
  const names = new Map<unknown, string>(Object.entries(shown).map(([name, schema]) => [schema, name]))
  return Object.entries(shown)
    .map(([name, schema]) => {
      const shape = z.toJSONSchema(schema, {
        io,
        // A schema with a name of its own is spoken of by that.
        override: ({ zodSchema, jsonSchema }) => {
          const known = Object.is(zodSchema, schema) ? undefined : names.get(zodSchema)
          if (known !== undefined) jsonSchema['typeName'] = known
        },
      })
      return `\n${comment(shape, '')}export type ${name} = ${render(shape, '')}\n`
    })
    .join('')
}

function render(shape: Shape, indent: string): string {
  if (typeof shape['typeName'] === 'string') return shape['typeName']
  if (shape.const !== undefined) return literal(shape.const)
  if (shape.enum !== undefined) return shape.enum.map(literal).join(' | ')
  const members = membersOf(shape)
  if (members.length > 0) return members.map((one) => render(one, indent)).join(' | ')
  if (shape.type === 'array') return renderArray(shape, indent)
  if (shape.type === 'object') return renderObject(shape, indent)
  // One, or several without anything more to say of them.
  return [shape.type ?? 'unknown']
    .flat()
    .map((type) => (type === 'integer' ? 'number' : type))
    .join(' | ')
}

const membersOf = ({ anyOf, oneOf }: Shape): readonly Shape[] => anyOf ?? oneOf ?? []

function renderArray({ items }: Shape, indent: string): string {
  if (typeof items !== 'object' || Array.isArray(items)) throw new Error('an array of one kind is known here')
  const item = render(items, indent)
  return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
}

function renderObject({ properties = {}, required = [], additionalProperties }: Shape, indent: string): string {
  const inner = `${indent}  `
  const lines = Object.entries(properties).map(([name, shape]) => {
    if (typeof shape === 'boolean') throw new Error(`${name} has no type`)
    const type = render(shape, inner)
    const isRequired = required.includes(name)
    return `${comment(shape, inner)}${inner}${name}${isRequired ? '' : '?'}: ${type}${isRequired ? '' : ' | undefined'}\n`
  })
  if (typeof additionalProperties === 'object')
    lines.push(`${inner}[key: string]: ${render(additionalProperties, inner)}\n`)
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('')}${indent}}`
}

/** What a named type says of itself is said there. */
function comment(shape: Shape, indent: string): string {
  const isElsewhere = typeof shape['typeName'] === 'string'
  return shape.description === undefined || isElsewhere ? '' : `${indent}/** ${shape.description} */\n`
}

const literal = (value: unknown) => (typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : String(value))
