export const commands = ['stats', 'workers', 'dead-letters', 'retry', 'cancel', 'pause', 'resume'] as const
export type CommandName = (typeof commands)[number]

const closing = `  --json   the same for machines
  Ends with 0 when it was done, 1 when there was nothing to do or nothing by that name, 2 when it was asked wrongly.
  The database is that of DATABASE_DIRECT_URL or DATABASE_URL, else the embedded one of DATA_DIR.`

export const overview = `npm run queue -- stats         what waits, runs and has died, lane by lane
npm run queue -- workers       who is there and what they do
npm run queue -- dead-letters  jobs that were given up, and why
npm run queue -- retry         gives dead letters all their retries again
npm run queue -- cancel        takes jobs out of the queue, running ones too
npm run queue -- pause         holds the claims of a lane
npm run queue -- resume        lets it go on
  Each says more with --help.
${closing}`

const details: Readonly<Record<CommandName, string>> = {
  stats: `npm run queue -- stats [--watch]
  One line a lane. pending = due + scheduled; retrying are those of them that have failed before; done is what was completed.
  --watch  again every 2 seconds, until Ctrl-C`,
  workers: `npm run queue -- workers
  The registry of workers. One that has not been seen for 30 seconds is silent: its jobs run elsewhere when their lease ends.`,
  'dead-letters': `npm run queue -- dead-letters [--type <job type>] [--code <error code>] [--limit <n>]
  How many there are of each kind, then the newest of them.
  --type   only of this job type: ocr, pass1_find …
  --code   only those that ended with this error code
  --limit  how many are listed, 1 to 1000; 20 if not said`,
  retry: `npm run queue -- retry <job id>...
npm run queue -- retry --all --type <job type> [--code <error code>]
npm run queue -- retry --all --code <error code>
npm run queue -- retry --all --all
  Dead letters become pending again, with all their retries. A job keeps its id and the errors of its earlier attempts.
  While processing is stopped for a patient, that patient's dead letters stay.
  --all    all that fit --type and --code; without either it has to be said twice, or with --yes`,
  cancel: `npm run queue -- cancel <job id>...
  A job that waits, runs or has died is cancelled for good; one that runs is aborted, and nothing more of it is written.
  The stage of its document fails, and can be started again from there (POST /api/process-document).`,
  pause: `npm run queue -- pause <lane> [--reason <text>]
  Nothing of the lane is claimed any more, by no worker. What runs goes on; what comes in waits.
  Recurring work is not held: it seals the audit and raises the alarms.
  --reason  a word to the other operators, up to 200 characters; nothing of a patient`,
  resume: `npm run queue -- resume <lane>
  Lets a paused lane go on; its workers look at once.`,
}

export const usageOf = (name: CommandName): string => `${details[name]}\n${closing}`
