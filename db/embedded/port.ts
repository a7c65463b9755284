import { createServer } from 'node:net'

/** PostgreSQL cannot choose a port itself, so we ask the system for one that is free now. */
export function findFreePort(): Promise<number> {
  return tryPort(0)
}

export async function isPortFree(port: number): Promise<boolean> {
  return await tryPort(port).then(
    () => true,
    () => false,
  )
}

function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = probe.address()
      const found = typeof address === 'object' && address !== null ? address.port : port
      probe.close(() => resolve(found))
    })
  })
}
