/** Loaded before a process, and before each of its threads: its time of day is wrong by CLOCK_OFFSET_MS. */
const offsetMs = Number(process.env['CLOCK_OFFSET_MS'] ?? 0)
const RightDate = Date

globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, made) =>
    Reflect.construct(target, args.length === 0 ? [target.now() + offsetMs] : args, made),
  apply: (target) => new target(target.now() + offsetMs).toString(),
  get: (target, name) => (name === 'now' ? () => target.now() + offsetMs : Reflect.get(target, name)),
})
