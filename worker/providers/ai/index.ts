import type { Narrator } from '../narration/provider.ts'
import type { AiProvider } from './provider.ts'

export type AiSettings = {
  readonly apiKey: string
  readonly baseUrl: string | undefined
  readonly model: string
}

/** null: rules alone, nothing leaves the machine. */
export async function createAiProvider(settings: AiSettings | null): Promise<AiProvider | null> {
  if (settings === null) return null
  // Loaded only where it is used: the client is large.
  const { createOpenAi } = await import('./openai.ts')
  return createOpenAi({ ...settings, baseUrl: settings.baseUrl ?? null })
}

/** null: templates alone. */
export async function createNarrator(settings: AiSettings | null): Promise<Narrator | null> {
  if (settings === null) return null
  const { createOpenAiNarrator } = await import('../narration/openai.ts')
  return createOpenAiNarrator({ ...settings, baseUrl: settings.baseUrl ?? null })
}
