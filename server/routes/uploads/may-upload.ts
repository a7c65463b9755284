import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { openUpload } from '../../../db/queries/uploads.ts'
import type { Opening } from '../../../db/queries/uploads.ts'
import { notFound } from '../../plugins/errors.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import { spentLimitOf } from './plan-limit.ts'

/** Before any bytes: throws where the person is not there for the actor, or a limit is spent. Says what `openUpload` says. */
export const mayUpload = (db: Database, actor: Actor, opening: Opening): Promise<unknown> =>
  openUpload(db, actor, opening).catch(
    raisedAs({ [raised.noDataFound]: () => notFound(), [raised.planLimitReached]: spentLimitOf }),
  )
