/**
 * Any service that speaks OpenAI's chat completions (their own, Azure, OpenRouter, vLLM, Ollama, llama.cpp). The client never
 * tries again by itself: the job does, within the limits that all workers share.
 */
import { messagesFor, promptVersion } from './prompt.ts'
import { openAiCalls, type OpenAiService } from './openai-call.ts'
import { askInForm, tokensOf } from './openai-form.ts'
import { answer, type AiProvider } from './provider.ts'

const usualAnswerTokens = 1500
/** A page of facts; what is longer is cut off, told, and asked for in two parts. */
const mostAnswerTokens = 8_000

export function createOpenAi(settings: OpenAiService): AiProvider {
  const call = openAiCalls(settings)
  const { model } = settings
  return {
    name: 'openai',
    model,
    promptVersion,
    estimateTokens: (question) =>
      messagesFor(question).reduce((sum, { content }) => sum + tokensOf(content.length), usualAnswerTokens),
    find: async (question, { signal }) => {
      const form = { name: 'facts', schema: answer }
      const asked = { model, messages: messagesFor(question), mostAnswerTokens, form }
      const { outcome, ...paid } = await askInForm(call, asked, signal)
      return { ...paid, outcome: outcome.kind === 'answered' ? { kind: 'facts', ...outcome.value } : outcome }
    },
  }
}
