// What we use of it; its types otherwise come only with those of a browser.
declare namespace WebAssembly {
  class Table {
    get(index: number): unknown
    set(index: number, value: unknown): void
  }
  // oxlint-disable-next-line typescript/no-extraneous-class -- opaque, but made with new
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
}
