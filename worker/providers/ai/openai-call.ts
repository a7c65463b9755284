/**
 * One call of the API of OpenAI, or of a service that speaks it: one answer in a form that is asked for. What a service does
 * not know of the request (a JSON schema, a name of a field) is left out and it is asked at once again; nothing else is tried
 * twice. What has been learned holds for the life of the process.
 */
import OpenAI from 'openai'
import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions'
import { refusedPart, translateError, type RefusedPart } from './openai-errors.ts'
import { aiMisconfigured } from './provider.ts'
import { limitedFetch } from './limited-fetch.ts'

const defaultTimeoutMs = 120_000

export type OpenAiService = {
  readonly apiKey: string
  /** null: the maker's own address. */
  readonly baseUrl: string | null
  readonly model: string
  readonly timeoutMs?: number
}

export type OpenAiRequest = {
  readonly messages: readonly ChatCompletionMessageParam[]
  readonly mostAnswerTokens: number
  readonly form: { readonly name: string; readonly schema: Record<string, unknown> }
}

export type OpenAiCall = (
  request: OpenAiRequest,
  signal: AbortSignal,
) => Promise<{ readonly body: unknown; readonly headers: Headers }>

/** How a service wants to be asked. */
type Dialect = {
  form: 'json_schema' | 'json_object' | 'words'
  tokens: 'max_completion_tokens' | 'max_tokens'
  saysNotToStore: boolean
}

export function openAiCalls({ apiKey, baseUrl, model, timeoutMs = defaultTimeoutMs }: OpenAiService): OpenAiCall {
  const client = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: timeoutMs,
    fetch: limitedFetch,
    // Prompts and answers are clinical content.
    logLevel: 'off',
  })
  let dialect: Dialect = { form: 'json_schema', tokens: 'max_completion_tokens', saysNotToStore: true }
  return async (request, signal) => {
    // The client's own time ends with the head of the answer: a body may trickle for ever.
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    for (;;) {
      const asked = dialect
      try {
        const call = client.chat.completions.create(bodyOf(request, model, asked), { signal: inTime })
        const { data, response } = await call.withResponse()
        return { body: data, headers: response.headers }
      } catch (error) {
        // Stopped by us: why is the engine's to say.
        signal.throwIfAborted()
        // The maker knows its own fields: there it would be our fault, and what is not to be stored must not be.
        const refused = refusedPart(error)
        const simpler = baseUrl === null ? null : simplerThan(asked, refused)
        if (simpler === null) throw refused === null ? translateError(error) : aiMisconfigured({ reason: refused })
        dialect = simpler
      }
    }
  }
}

/** null: asked as simply as can be in this. */
function simplerThan(asked: Dialect, refused: RefusedPart | null): Dialect | null {
  if (refused === 'form' && asked.form !== 'words')
    return { ...asked, form: asked.form === 'json_schema' ? 'json_object' : 'words' }
  if (refused === 'tokens' && asked.tokens === 'max_completion_tokens') return { ...asked, tokens: 'max_tokens' }
  return refused === 'store' && asked.saysNotToStore ? { ...asked, saysNotToStore: false } : null
}

function bodyOf(
  { messages, mostAnswerTokens, form }: OpenAiRequest,
  model: string,
  dialect: Dialect,
): ChatCompletionCreateParamsNonStreaming {
  return {
    model,
    ...(dialect.saysNotToStore ? { store: false } : {}),
    [dialect.tokens]: mostAnswerTokens + (isReasoning(model) ? thinkingTokens : 0),
    ...(dialect.form === 'json_schema'
      ? {
          messages: [...messages],
          response_format: { type: 'json_schema', json_schema: { ...form, strict: true } },
        }
      : {
          messages: [...messages, { role: 'user', content: formInWords(form.schema) }],
          ...(dialect.form === 'json_object' ? { response_format: { type: 'json_object' } } : {}),
        }),
  }
}

const formInWords = (schema: Record<string, unknown>) =>
  `Answer with one JSON object and nothing beside it. It must fit this JSON schema:\n${JSON.stringify(schema)}`

/** What they think counts as answered, and comes first: too little room for it leaves no answer at all. */
const thinkingTokens = 16_000
const isReasoning = (model: string) => /^(?:.*\/)?(?:o\d|gpt-5(?!\S*chat))/.test(model)
