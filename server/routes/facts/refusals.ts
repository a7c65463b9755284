import { defineError } from '../../../platform/errors.ts'
import { forbidden } from '../../plugins/errors.ts'
import { raised, type RaisedMeanings } from '../../plugins/raised-errors.ts'

export const factChanged = defineError(
  'fact_changed',
  409,
  'This has been changed or decided since you looked at it. Please look again.',
)
export const factNotReady = defineError('fact_not_ready', 409, 'This cannot be decided yet: its document is not done.')
export const laterDecisionStands = defineError(
  'later_decision_stands',
  409,
  'Something was decided about this later. Please take that back first.',
)

export const nothingToSeparate = defineError(
  'nothing_to_separate',
  409,
  'Nothing else in the record is taken for the same as this.',
)

/** What the functions of the database mean that decide on facts. */
export const decisionRefusals: RaisedMeanings = {
  // It is seen, so it is the right to change it that is missing.
  [raised.noDataFound]: () => forbidden(),
  [raised.changedMeanwhile]: () => factChanged(),
  [raised.notInPrerequisiteState]: () => factNotReady(),
  [raised.nothingToSeparate]: () => nothingToSeparate(),
}
