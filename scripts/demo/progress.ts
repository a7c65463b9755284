/** One line per stage with a bar. On a terminal the block is redrawn in place; elsewhere each change is a line of its own. */
import type { DocumentEvent } from '../../client/index.ts'

const stageLabels: Readonly<Record<string, string>> = {
  security_scan: 'security scan',
  ocr: 'read',
  spatial_mapping: 'map',
  pass1_find: 'find facts',
  pass2_code: 'code',
  pass3_narrate: 'narrate',
}
const barWidth = 24

type StageLine = { status: string; done: number; total: number; startedAt: number; elapsedMs: number }

export type StageProgress = { show(event: DocumentEvent): void; finish(): void }

export function createStageProgress(out: NodeJS.WriteStream, now: () => number): StageProgress {
  const lines = new Map<string, StageLine>(
    Object.keys(stageLabels).map((stage) => [
      stage,
      { status: 'pending', done: 0, total: 0, startedAt: now(), elapsedMs: 0 },
    ]),
  )
  const redraw = out.isTTY
  let isDrawn = false

  const draw = () => {
    if (isDrawn) out.write(`\x1b[${lines.size}A`)
    for (const [stage, line] of lines) out.write(`\x1b[2K${render(stage, line)}\n`)
    isDrawn = true
  }

  return {
    show(event) {
      const line = event.stage === null ? undefined : lines.get(event.stage)
      if (line === undefined || event.stage === null) return
      const before = line.status
      if (event.status === 'running' && before !== 'running') line.startedAt = now()
      line.status = event.status ?? line.status
      line.done = event.pages_done ?? line.done
      line.total = event.pages_total ?? line.total
      line.elapsedMs = now() - line.startedAt
      if (redraw) draw()
      else if (before !== line.status && line.status !== 'running') out.write(`${render(event.stage, line)}\n`)
    },
    finish() {
      if (redraw && !isDrawn) draw()
    },
  }
}

function render(stage: string, line: StageLine): string {
  const share = shareDone(line)
  const filled = Math.round(share * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  const pages = line.total > 0 ? ` ${line.done}/${line.total} pages` : ''
  const time = line.status === 'pending' ? '' : ` ${(line.elapsedMs / 1000).toFixed(1)} s`
  return `  ${(stageLabels[stage] ?? stage).padEnd(14)} ${bar} ${line.status}${pages}${time}`
}

function shareDone(line: StageLine): number {
  if (['completed', 'held', 'skipped', 'failed'].includes(line.status)) return 1
  if (line.status !== 'running') return 0
  return line.total > 0 ? line.done / line.total : 0.5
}
