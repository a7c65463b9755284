import type { Metrics } from '../../platform/telemetry.ts'

export type EngineMetrics = ReturnType<typeof createEngineMetrics>

export function createEngineMetrics(metrics: Metrics) {
  return {
    ended: metrics.counter('exora_jobs_ended_total', 'Attempts that ended, by how.', ['job_type', 'outcome']),
    waited: metrics.histogram('exora_job_pickup_seconds', 'From due to claimed.', ['lane']),
    ran: metrics.histogram('exora_job_run_seconds', 'From claimed to settled.', ['job_type']),
    claims: metrics.counter('exora_claims_total', 'Claims, by what led to them.', ['reason']),
    running: metrics.gauge('exora_jobs_running', 'Jobs under way in this process.'),
    poolSize: metrics.gauge('exora_pool_size', 'Jobs that may be under way at once.'),
    listening: metrics.counter(
      'exora_listen_connections_total',
      'LISTEN connections made; the first is not a reconnect.',
    ),
    bytesInFlight: metrics.gauge('exora_bytes_in_flight', 'Bytes of the documents of jobs under way.'),
    rescued: metrics.counter('exora_jobs_rescued_total', 'Jobs taken back from workers that fell silent.', ['to']),
    requestsUsed: metrics.gauge('exora_capacity_requests', 'Requests in the last minute.', ['provider', 'endpoint']),
    tokensUsed: metrics.gauge('exora_capacity_tokens', 'Tokens in the last minute.', ['provider', 'endpoint']),
    underWay: metrics.gauge('exora_capacity_under_way', 'Outside calls under way.', ['provider', 'endpoint']),
  }
}
