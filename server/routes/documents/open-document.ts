import { asActor } from '../../../db/actor.ts'
import type { Actor, Tx } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findDocument } from '../../../db/queries/documents.ts'
import type { ShellFile } from '../../../db/schema/documents.ts'
import { notFound } from '../../plugins/errors.ts'

/** Runs the work with a document that the actor may see; one that does not exist and one of others answer alike. */
export async function withDocument<T>(
  db: Database,
  actor: Actor,
  documentId: string,
  work: (tx: Tx, file: ShellFile) => Promise<T>,
): Promise<T> {
  return await asActor(db, actor, async (tx) => {
    const file = await findDocument(tx, documentId)
    if (file === null) throw notFound()
    return await work(tx, file)
  })
}
