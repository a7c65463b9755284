/**
 * Any service that speaks OpenAI's chat completions with a JSON schema (their own, Ollama, llama.cpp). The client never
 * tries again by itself: the job does, within the limits that all workers share.
 */
import { z } from 'zod'
import { costUsd } from './prices.ts'
import { messagesFor, promptVersion } from './prompt.ts'
import { openAiCalls, type OpenAiCall, type OpenAiService } from './openai-call.ts'
import { limitsOf } from './openai-limits.ts'
import { readCompletion } from './completion.ts'
import { answer, type AiProvider, type Answer, type Question } from './provider.ts'

const charactersPerToken = 3.5
const usualAnswerTokens = 1500
/** A page of facts; what is longer is cut off, told, and asked for in two parts. */
const mostAnswerTokens = 8_000

export function createOpenAi(settings: OpenAiService): AiProvider {
  const call = openAiCalls(settings)
  return {
    name: 'openai',
    model: settings.model,
    promptVersion,
    estimateTokens: (question) =>
      Math.ceil(sum(messagesFor(question).map(({ content }) => content.length)) / charactersPerToken) +
      usualAnswerTokens,
    find: (question, { signal }) => ask(call, settings.model, question, signal),
  }
}

async function ask(call: OpenAiCall, model: string, question: Question, signal: AbortSignal): Promise<Answer> {
  const form = { name: 'facts', schema: z.toJSONSchema(answer) }
  const { completion: body, headers } = await call({ messages: messagesFor(question), mostAnswerTokens, form }, signal)
  const completion = readCompletion(body)
  const asked = sum(messagesFor(question).map(({ content }) => content.length))
  // Whatever became of it, it has been paid for; what the service does not say is what the words are worth, never nothing.
  const used = {
    tokensIn: completion.tokensIn ?? Math.ceil(asked / charactersPerToken),
    tokensOut: completion.tokensOut ?? Math.ceil(completion.characters / charactersPerToken),
  }
  const modelAnswered = completion.model ?? model
  return {
    outcome: completion.outcome,
    modelAnswered,
    ...used,
    costUsd: costUsd(modelAnswered, used),
    said: limitsOf(headers),
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
