// The package ships no types.
declare module 'heic-decode' {
  type Decoded = { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }
  export default function decode(input: { buffer: Uint8Array }): Promise<Decoded>
}
