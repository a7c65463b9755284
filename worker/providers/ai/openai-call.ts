/** One call of the API of OpenAI, or of a service that speaks it: one answer in a form that is asked for, tried once. */
import OpenAI from 'openai'
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { translateError } from './openai-errors.ts'

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
) => Promise<{ readonly completion: ChatCompletion; readonly headers: Headers }>

export function openAiCalls({ apiKey, baseUrl, model, timeoutMs = defaultTimeoutMs }: OpenAiService): OpenAiCall {
  const client = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    timeout: timeoutMs,
    // Prompts and answers are clinical content.
    logLevel: 'off',
  })
  return async ({ messages, mostAnswerTokens, form }, signal) => {
    // The client's own time ends with the head of the answer: a body may trickle for ever.
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const call = client.chat.completions.create(
        {
          model,
          store: false,
          max_completion_tokens: mostAnswerTokens,
          messages: [...messages],
          response_format: { type: 'json_schema', json_schema: { ...form, strict: true } },
        },
        { signal: inTime },
      )
      const { data, response } = await call.withResponse()
      return { completion: data, headers: response.headers }
    } catch (error) {
      // Stopped by us: why is the engine's to say.
      signal.throwIfAborted()
      throw translateError(error)
    }
  }
}
