import type { FactType } from '../document/found-fact.ts'
import type { Admit } from './admission.ts'
import { admitAllergy } from './allergy/admit.ts'
import { admitCondition, admitSymptom } from './condition/admit.ts'
import { admitEncounter } from './encounter/admit.ts'
import { admitFamilyHistory } from './family-history/admit.ts'
import { admitIdentity } from './identity/admit.ts'
import { admitImmunization } from './immunization/admit.ts'
import { admitMedication } from './medication/admit.ts'
import { admitImagingResult, admitLabResult, admitPhysicalFinding, admitVitalSign } from './observation/admit.ts'
import { admitProcedure } from './procedure/admit.ts'
import { admitSocialHistory } from './social-history/admit.ts'

/** Every type of fact and what becomes of it. */
export const admitByType: { readonly [Type in FactType]: Admit } = {
  medication: admitMedication,
  lab_result: admitLabResult,
  vital_sign: admitVitalSign,
  condition: admitCondition,
  allergy: admitAllergy,
  immunization: admitImmunization,
  procedure: admitProcedure,
  symptom: admitSymptom,
  physical_finding: admitPhysicalFinding,
  imaging_result: admitImagingResult,
  family_history: admitFamilyHistory,
  social_history: admitSocialHistory,
  encounter: admitEncounter,
  identity: admitIdentity,
}
