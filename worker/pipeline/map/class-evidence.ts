/** What speaks for each class of document; weighed in `document-class.ts`. */
import type { DocumentClass } from '../../../clinical/document/mapped.ts'

export type Evidence = {
  readonly class: DocumentClass
  readonly title: RegExp
  readonly phrases: readonly RegExp[]
  /** Words that hardly stand in any other kind of document. */
  readonly tellingPhrases?: readonly RegExp[]
  readonly sections: readonly string[]
  /** What the columns of its tables are headed with; each of these in one header. */
  readonly columns?: readonly RegExp[]
}

export const evidence: readonly Evidence[] = [
  {
    class: 'lab_report',
    title:
      /\b(?:lab(?:oratory)? (?:report|results?)|pathology (?:report|results?)|blood (?:test|results?)|biochemistry|ha?ematology|(?:test|lipid|liver|renal|thyroid|iron) (?:results?|panel|profile|studies|function)|full blood (?:count|exam)|complete blood count|microbiology)\b/i,
    columns: [
      /^(?:test|analyte|component|investigation|assay|examination|name)\b/i,
      /\b(?:result|value|observed)s?\b/i,
      /\b(?:reference|range|interval|normal|units?|flag)\b/i,
    ],
    phrases: [
      /\blaborator(?:y|ies)\b|\bpatholog(?:y|ies)\b/i,
      /\breference (?:range|interval)s?\b/i,
      /\b(?:specimen|collected|received)\b/i,
      /\bfasting\b/i,
      /\bcumulative\b/i,
      /\bflag\b/i,
      /\b(?:mmol|umol|µmol|g|mg|ng|IU|U|mU)\/d?L\b/,
    ],
    sections: ['results', 'specimens'],
  },
  {
    class: 'imaging_report',
    title:
      /\b(?:radiolog(?:y|ical)|(?:medical )?imaging|x-?ray|ultrasound|\bCT\b|\bMRI\b|mammogra|nuclear medicine)\b/i,
    phrases: [
      /\btechnique\b/i,
      /\bcomparison\b/i,
      /\bcontrast\b/i,
      /\bimpression\b/i,
      /\bclinical (?:indication|history|details)\b/i,
    ],
    sections: ['findings', 'technique', 'comparison', 'imaging'],
  },
  {
    class: 'pathology_report',
    title: /\b(?:histopatholog|histolog|anatomical patholog|surgical patholog|cytolog|biopsy report)/i,
    phrases: [
      /\bmacroscop/i,
      /\bmicroscop/i,
      /\bgross description\b/i,
      /\bblock\b/i,
      /\bmargins?\b/i,
      /\bimmunohisto/i,
      /\bhistolog|\bhistopatholog|\bcytolog/i,
    ],
    tellingPhrases: [/\b(?:macroscop|gross(?:ly| description| examination)?\b)[^]*\bmicroscop/i],
    sections: ['specimens'],
  },
  {
    class: 'discharge_summary',
    title: /\bdischarge (?:summary|report|letter|note)|\bseparation summary/i,
    phrases: [
      /\bdate of (?:admission|discharge)|(?:admission|discharge) date|admitted|discharged\b/i,
      /\bhospital course\b/i,
      /\bdischarge (?:medication|diagnos)/i,
      /\bfollow-?up\b/i,
    ],
    sections: [
      'hospital-course',
      'discharge-medications',
      'discharge-diagnosis',
      'discharge-instructions',
      'reason-for-admission',
    ],
  },
  {
    class: 'referral_letter',
    title: /\breferral\b|\bletter of referral/i,
    tellingPhrases: [
      /\bthank you for (?:seeing|your (?:review|opinion|assessment))|\bi (?:would be grateful|would appreciate) (?:if you|your)|\bplease (?:see|assess|review) th(?:is|e above)/i,
    ],
    phrases: [
      /\bthank you for (?:seeing|your (?:review|opinion|assessment))/i,
      /\bplease (?:see|assess|review)\b/i,
      /\bi would (?:appreciate|value|be grateful)/i,
      /\bdear (?:dr|doctor|colleague|professor|prof|mr|ms|mrs)\b/i,
      /\brefer(?:red|ring)?\b/i,
    ],
    sections: ['reason-for-referral'],
  },
  {
    class: 'specialist_letter',
    title:
      /\b(?:cardiolog|neurolog|gastroenterolog|endocrinolog|rheumatolog|oncolog|dermatolog|respiratory|orthopaedic|ophthalmolog|psychiatr|nephrolog|urolog)\w*\b.*\b(?:clinic|associates|specialist|centre|letter|consult)/i,
    tellingPhrases: [/\bthank you for (?:referring|asking me to see|your (?:kind )?referral)/i],
    phrases: [
      /\bthank you for (?:referring|asking me|your referral)/i,
      /\bi (?:reviewed|saw|had the pleasure)/i,
      /\bdear (?:dr|doctor|colleague)\b/i,
      /\bkind regards|yours sincerely\b/i,
    ],
    sections: [],
  },
  {
    class: 'prescription',
    title: /\bprescription\b|\bPBS\b|\brx\b|\bauthority prescription/i,
    phrases: [
      /\bprescriber (?:no|number)/i,
      /\brepeats?\b/i,
      /\bqty\b|\bquantity\b/i,
      /\bbrand substitution\b/i,
      /\brefills?\b/i,
      /\bdispense\b/i,
    ],
    sections: [],
  },
  {
    class: 'medication_list',
    title:
      /\bmedic(?:ation|ine)s? (?:list|profile|record|chart|summary)|list of medic(?:ation|ine)s|current medic(?:ation|ine)s/i,
    columns: [/\b(?:medic(?:ation|ine)|drug)s?\b/i, /\b(?:strength|dose|dosage|directions?|frequency|how)\b/i],
    phrases: [/\bwhat (?:it is|i take it) for\b/i, /\bhow (?:to|i|much)\b/i, /\bdos(?:e|age)\b/i],
    sections: ['medications'],
  },
  {
    class: 'immunization_record',
    title:
      /\b(?:immuni[sz]ation|vaccination|vaccine)s?\b.*\b(?:record|history|statement|card|certificate|summary)|\bAIR\b.*statement/i,
    columns: [/\b(?:vaccin\w*|immuni[sz]ation)\b/i, /\b(?:date|dose|given|batch|lot)\b/i],
    phrases: [/\blot(?: number| no)?\b|\bbatch\b/i, /\bvaccine\b/i, /\bdose \d\b/i, /\bsite\b/i],
    sections: ['immunisations'],
  },
  {
    class: 'health_summary',
    title:
      /\b(?:shared )?health summary|patient (?:health )?summary|care plan|summary of care|continuity of care|medical record|patient chart/i,
    phrases: [/\bproblem list\b/i, /\bimmuni[sz]ations?\b/i, /\ballerg(?:y|ies)\b/i],
    sections: ['problem-list', 'allergies', 'immunisations', 'medications', 'past-medical-history', 'family-history'],
  },
  {
    class: 'clinic_note',
    title:
      /\b(?:office|clinic|outpatient|follow-?up|progress|consultation|soap|encounter|gp)\b.{0,20}\b(?:visit|note|consultation|record)s?\b/i,
    phrases: [
      /\bsubjective\b/i,
      /\bobjective\b/i,
      /\bassessment\b/i,
      /\bplan\b/i,
      /\bchief complaint\b/i,
      /\bhistory of present|\bHPI\b/i,
      /\bdenies\b/i,
      /\bCC\s*:|\bPC\s*:|\bO\/E\b|\bPMH\b|\bNKDA\b|\bSOAP\b/,
      /^\s*(?:imp|impression|plan)\s*:/im,
    ],
    sections: [
      'history-of-presenting-complaint',
      'presenting-complaint',
      'assessment-and-plan',
      'assessment',
      'plan',
      'examination',
      'review-of-systems',
    ],
  },
  {
    class: 'administrative',
    title:
      /\b(?:invoice|tax invoice|receipt|statement of account|explanation of benefits|benefit statement|appointment (?:letter|confirmation|reminder)|consent form|registration form|privacy notice|(?:hospital|extras|health) cover|insurance (?:policy|claim|renewal))\b/i,
    phrases: [
      /\bamount (?:due|payable)\b/i,
      /\bGST\b/,
      /\bpayments?\b/i,
      /\bbalance\b/i,
      /\bpremiums?\b/i,
      /\bpolicy\b/i,
      /\bwaiting periods?\b/i,
      /\b(?:benefits?|cover(?:age|ed)?|claims?)\b/i,
      /\bmember(?:ship)? (?:no|number|id)\b/i,
      /[$£€]\s?\d/,
    ],
    tellingPhrases: [/\bthis is not a bill\b/i],
    sections: ['payment-and-administrative'],
  },
]
