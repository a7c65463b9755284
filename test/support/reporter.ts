// The plain reporter of `npm test`: what failed with its place and difference, then one line that counts.
import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'
import { inspect } from 'node:util'
import { Parser } from 'tap-parser'
import type { Result } from 'tap-parser'

export default class PlainReporter extends Transform {
  readonly #counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
  readonly #parser = new Parser()

  constructor() {
    super()
    this.#watch(this.#parser)
    this.#parser.on('bailout', (reason: string) => this.push(`\nBAILED OUT ${reason}\n`))
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parser.write(chunk.toString())
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#parser.end()
    const { pass, fail, skip, todo } = this.#counts
    if (skip > 0) this.push(`${skip} skipped\n`)
    if (todo > 0) this.push(`${todo} to do\n`)
    this.push(`${pass} passed, ${fail} failed\n`)
    done()
  }

  /** Assertions are counted where they stand; the summary line of each parent would count them again. */
  #watch(parser: Parser): void {
    parser.on('pass', () => (this.#counts.pass += 1))
    parser.on('skip', () => (this.#counts.skip += 1))
    parser.on('todo', () => (this.#counts.todo += 1))
    parser.on('fail', (result: Result) => {
      this.#counts.fail += 1
      this.push(describeFailure(result))
    })
  }
}

function describeFailure(result: Result): string {
  const diag: Record<string, unknown> = typeof result.diag === 'object' && result.diag !== null ? result.diag : {}
  const shown = [
    'at',
    'message',
    'diff',
    'found',
    'wanted',
    'expected',
    'cause',
    'stack',
    'exitCode',
    'signal',
    'timeout',
  ]
    .filter((name) => diag[name] !== undefined && !(name !== 'diff' && name !== 'at' && 'diff' in diag))
    .map((name) => `  ${name}: ${indent(textOf(diag[name]))}`)
  return [`\nFAIL ${result.fullname ?? result.name}`, ...shown, ''].join('\n')
}

const textOf = (value: unknown) => (typeof value === 'string' ? value.trimEnd() : inspect(value, { depth: 6 }))
const indent = (text: string) => (text.includes('\n') ? `\n${text}` : text).replaceAll('\n', '\n    ')
