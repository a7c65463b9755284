/** Asks a service that speaks OpenAI's chat completions for an answer in a form, and says what it was and what it cost. */
import { z } from 'zod'
import { AppError } from '../../../platform/errors.ts'
import { readCompletion } from './completion.ts'
import type { OpenAiCall, OpenAiRequest } from './openai-call.ts'
import { errorInBody } from './openai-errors.ts'
import { limitsOf } from './openai-limits.ts'
import { costUsd } from './prices.ts'
import { aiTooLong, type FormOutcome, type Paid } from './provider.ts'

type Asked<Form> = {
  readonly model: string
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
  readonly mostAnswerTokens: number
  readonly form: { readonly name: string; readonly schema: z.ZodType<Form> }
}

const charactersPerToken = 3.5
export const tokensOf = (characters: number) => Math.ceil(characters / charactersPerToken)

export async function askInForm<Form>(
  call: OpenAiCall,
  { model, messages, mostAnswerTokens, form }: Asked<Form>,
  signal: AbortSignal,
): Promise<Paid<FormOutcome<Form>>> {
  const schema = z.toJSONSchema(form.schema)
  const answer = await unlessTooLong(call, { messages, mostAnswerTokens, form: { name: form.name, schema } }, signal)
  if (answer === null)
    return { outcome: { kind: 'cut_off' }, modelAnswered: model, tokensIn: 0, tokensOut: 0, costUsd: 0, said: null }
  const { body, headers } = answer
  const failed = errorInBody(body, headers)
  if (failed !== null) throw failed
  const completion = readCompletion(body, form.schema)
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  // Whatever became of it, it has been paid for; what the service does not say is what the words are worth, never nothing.
  const used = {
    tokensIn: completion.tokensIn ?? tokensOf(characters),
    tokensOut: completion.tokensOut ?? tokensOf(completion.characters),
  }
  const modelAnswered = completion.model ?? model
  return {
    outcome: completion.outcome,
    modelAnswered,
    ...used,
    costUsd: costUsd(modelAnswered, { ...used, tokensCached: completion.tokensCached }),
    said: limitsOf(headers),
  }
}

/** null: more than the model takes at once. Nothing was answered, and what is to be done is the same as for an answer cut off. */
async function unlessTooLong(call: OpenAiCall, request: OpenAiRequest, signal: AbortSignal) {
  try {
    return await call({ ...request, messages: [...request.messages] }, signal)
  } catch (error) {
    if (error instanceof AppError && aiTooLong.matches(error)) return null
    throw error
  }
}
