import { crc32, deflateRawSync } from 'node:zlib'

type Packed = { readonly name: string; readonly packed: Buffer; readonly unpackedBytes: number; readonly crc?: number }

/** A zip file of the given entries; `odd` adds one whose directory may lie. */
export function zipOf(entries: Readonly<Record<string, string>>, ...odd: readonly Packed[]): Buffer {
  const all: Packed[] = [
    ...Object.entries(entries).map(([name, content]) => {
      const bytes = Buffer.from(content)
      return { name, packed: deflateRawSync(bytes), unpackedBytes: bytes.length, crc: crc32(bytes) }
    }),
    ...odd,
  ]
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of all) {
    const local = Buffer.concat([header(entry, { signature: 0x04034b50 }), Buffer.from(entry.name), entry.packed])
    directory.push(Buffer.concat([header(entry, { signature: 0x02014b50, offset }), Buffer.from(entry.name)]))
    locals.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(all.length, 8)
  end.writeUInt16LE(all.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, list, end])
}

function header(entry: Packed, { signature, offset }: { signature: number; offset?: number }): Buffer {
  const isDirectory = offset !== undefined
  const bytes = Buffer.alloc(isDirectory ? 46 : 30)
  const at = isDirectory ? 6 : 4
  bytes.writeUInt32LE(signature, 0)
  bytes.writeUInt16LE(20, at)
  bytes.writeUInt16LE(8, at + 4)
  bytes.writeUInt32LE(entry.crc ?? 0, at + 10)
  bytes.writeUInt32LE(entry.packed.length, at + 14)
  bytes.writeUInt32LE(entry.unpackedBytes, at + 18)
  bytes.writeUInt16LE(Buffer.byteLength(entry.name), at + 22)
  if (isDirectory) bytes.writeUInt32LE(offset, 42)
  return bytes
}
