import { z } from 'zod'

/** All that a stage needs to be told: whose file, by its id. The rest is read under the lease. */
export const stagePayload = z.object({ shell_file_id: z.uuid() })
export type StagePayload = z.infer<typeof stagePayload>
