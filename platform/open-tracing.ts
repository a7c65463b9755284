import type { TracedService, Tracing, TracingConfig } from './tracing.ts'

/** The SDK is loaded here, and only where somebody has asked for traces. */
export async function openTracing(config: TracingConfig | null, service: TracedService): Promise<Tracing | null> {
  if (config === null) return null
  const { exportTraces } = await import('./tracing-export.ts')
  return exportTraces(config, service)
}
