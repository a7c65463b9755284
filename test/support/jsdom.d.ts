/** What we use of it; its own types bring the whole DOM into ours. */
declare module 'jsdom' {
  export class JSDOM {
    constructor(html: string, options: { readonly url: string })
    readonly window: {
      readonly XMLHttpRequest: unknown
      readonly FormData: typeof FormData
      readonly Blob: typeof Blob
      readonly File: typeof File
      close(): void
    }
  }
}
