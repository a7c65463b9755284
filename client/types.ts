// Longer than 300 lines because it is one list. Made by `npm run client:types` from the schemas that the server checks with.

export type SignUp = {
  email: string
  password: string
  name: string
}

export type SignIn = {
  email: string
  password: string
}

export type SecondFactor =
  | {
      challenge: string
      code: string
    }
  | {
      challenge: string
      backup_code: string
    }

export type NewProfile = {
  display_name: string
  full_name?: string | null | undefined
  profile_type: 'self' | 'child' | 'dependent' | 'pet'
  relationship?:
    | 'self'
    | 'spouse'
    | 'partner'
    | 'child'
    | 'parent'
    | 'sibling'
    | 'grandparent'
    | 'grandchild'
    | 'guardian'
    | 'dependent'
    | 'pet_dog'
    | 'pet_cat'
    | 'pet_bird'
    | 'pet_other'
    | null
    | undefined
  date_of_birth?: string | null | undefined
  time_zone?: string | undefined
  locale?: 'en-AU' | 'en-US' | undefined
}

export type ProfileChanges = {
  display_name?: string | undefined
  full_name?: string | null | undefined
  date_of_birth?: string | null | undefined
  relationship?:
    | 'self'
    | 'spouse'
    | 'partner'
    | 'child'
    | 'parent'
    | 'sibling'
    | 'grandparent'
    | 'grandchild'
    | 'guardian'
    | 'dependent'
    | 'pet_dog'
    | 'pet_cat'
    | 'pet_bird'
    | 'pet_other'
    | null
    | undefined
  time_zone?: string | undefined
  locale?: 'en-AU' | 'en-US' | undefined
}

export type AccessLogQuery = {
  limit?: number | undefined
  /** `next_cursor` of the page before. */
  cursor?: string | undefined
  /** `others` leaves out what this account did itself. */
  who?: 'everybody' | 'others' | undefined
}

export type Upload = {
  patient_id: string
  estimated_pages?: number | undefined
  document_date?: string | undefined
  note?: string | undefined
}

export type DocumentListQuery = {
  patient_id: string
  limit?: number | undefined
  /** `next_cursor` of the page before. */
  cursor?: string | undefined
}

export type Decision = 'accepted' | 'rejected'

export type Processing = {
  shell_file_id: string
  /** Everything from the first of these on; left out: from the first stage that has not completed, or from the start. */
  stages?: ('security_scan' | 'ocr' | 'spatial_mapping' | 'pass1_find' | 'pass2_code' | 'pass3_narrate')[] | undefined
}

export type FactDecision =
  | {
      review: 'accepted'
      /** Which state of the fact was seen. If it has changed since: 409 `fact_changed`. Left out, nobody else may have decided on it. */
      version?: string | undefined
    }
  | {
      review: 'edited'
      /** Which state of the fact was seen. If it has changed since: 409 `fact_changed`. Left out, nobody else may have decided on it. */
      version?: string | undefined
      text?: string | undefined
      status?: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain' | undefined
      value?: string | null | undefined
      unit?: string | null | undefined
      reference_range?: string | null | undefined
      date?: string | null | undefined
      /** Left out, the words are coded; null: there is none. */
      code?:
        | {
            system: string
            code: string
            display: string
          }
        | null
        | undefined
      detail?:
        | {
            dose?: string | null | undefined
            route?: string | null | undefined
            frequency?: string | null | undefined
            form?: string | null | undefined
            duration?: string | null | undefined
            indication?: string | null | undefined
            prescriber?: string | null | undefined
            clinical_status?: 'active' | 'completed' | 'stopped' | 'planned' | 'resolved' | null | undefined
            flag?: string | null | undefined
            specimen?: string | null | undefined
            panel?: string | null | undefined
            reaction?: string | null | undefined
            severity?: string | null | undefined
            dose_number?: string | null | undefined
            batch?: string | null | undefined
            site?: string | null | undefined
            manufacturer?: string | null | undefined
            relationship?: string | null | undefined
            laterality?: string | null | undefined
            body_site?: string | null | undefined
            encounter_type?: string | null | undefined
            provider?: string | null | undefined
            facility?: string | null | undefined
            end_date?: string | null | undefined
          }
        | undefined
    }
  | {
      review: 'rejected'
      /** Which state of the fact was seen. If it has changed since: 409 `fact_changed`. Left out, nobody else may have decided on it. */
      version?: string | undefined
      reason: 'wrong_value' | 'wrong_person' | 'not_said' | 'duplicate' | 'other'
    }
  | {
      review: 'separated'
      /** Which state of the fact was seen. If it has changed since: 409 `fact_changed`. Left out, nobody else may have decided on it. */
      version?: string | undefined
      /** `other_documents`: this document means another thing than they do. `all`: this one place does; its fact is named by `fact_id` of the source. */
      apart_from?: 'other_documents' | 'all' | undefined
    }

export type NewFact = {
  /** Chosen by the client: the same again enters nothing twice. */
  id?: string | undefined
  type:
    | 'medication'
    | 'lab_result'
    | 'vital_sign'
    | 'condition'
    | 'allergy'
    | 'immunization'
    | 'procedure'
    | 'symptom'
    | 'physical_finding'
    | 'imaging_result'
    | 'family_history'
    | 'social_history'
    | 'encounter'
  text: string
  status?: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain' | undefined
  value?: string | null | undefined
  unit?: string | null | undefined
  reference_range?: string | null | undefined
  date?: string | null | undefined
  /** Left out, the words are coded; null: there is none. */
  code?:
    | {
        system: string
        code: string
        display: string
      }
    | null
    | undefined
  detail?:
    | {
        dose?: string | null | undefined
        route?: string | null | undefined
        frequency?: string | null | undefined
        form?: string | null | undefined
        duration?: string | null | undefined
        indication?: string | null | undefined
        prescriber?: string | null | undefined
        clinical_status?: 'active' | 'completed' | 'stopped' | 'planned' | 'resolved' | null | undefined
        flag?: string | null | undefined
        specimen?: string | null | undefined
        panel?: string | null | undefined
        reaction?: string | null | undefined
        severity?: string | null | undefined
        dose_number?: string | null | undefined
        batch?: string | null | undefined
        site?: string | null | undefined
        manufacturer?: string | null | undefined
        relationship?: string | null | undefined
        laterality?: string | null | undefined
        body_site?: string | null | undefined
        encounter_type?: string | null | undefined
        provider?: string | null | undefined
        facility?: string | null | undefined
        end_date?: string | null | undefined
      }
    | undefined
  /** In which text `start` and `length` count. If there is a newer one: 409 `fact_changed`. */
  text_version?: number | undefined
  /** The words that say so, by their place in the text or by a box around them; the name first. */
  sources?:
    | {
        start: number
        length: number
      }
    | {
        page: number
        /** x0, y0, x1, y1 as fractions of the upright page, from its top left corner */
        box: number[]
      }[]
    | undefined
}

export type AcceptFacts = {
  decision?: 'accepted' | undefined
  /** Chosen by the client: the same again has no further effect. */
  decision_id?: string | undefined
  /** Left out: all facts of the record that are sure (`high`) and that nobody has decided on. */
  fact_ids?: string[] | undefined
}

export type UsageHistoryQuery = {
  /** Of one person; of all of the account, if left out. */
  patient_id?: string | undefined
  /** The newest of those in which anything was used. */
  months?: number | undefined
}

export type UploadPermissionQuery = {
  patient_id: string
  bytes: number
  pages?: number | undefined
}

export type SubscriptionChange = {
  account_id: string
  plan_type: 'free' | 'basic' | 'premium' | 'enterprise'
  /** `next_cycle`: when the month of the account is over. */
  effective?: 'now' | 'next_cycle' | undefined
}

export type SignedIn = {
  /** The session; also in the header set-auth-token. */
  token: string
  user: {
    id: string
    email: string
    name: string
    /** UTC */
    createdAt?: string | undefined
    twoFactorEnabled?: boolean | undefined
  }
}

export type SecondFactorNeeded = {
  /** For POST /auth/sign-in/two-factor, within ten minutes. */
  challenge: string
}

export type Session = {
  user: {
    id: string
    email: string
    name: string
    /** UTC */
    createdAt?: string | undefined
    twoFactorEnabled?: boolean | undefined
  }
  session: {
    id: string
    /** UTC */
    expiresAt: string
  }
} | null

export type Profile = {
  id: string
  display_name: string
  full_name: string | null
  profile_type: 'self' | 'child' | 'dependent' | 'pet'
  relationship:
    | 'self'
    | 'spouse'
    | 'partner'
    | 'child'
    | 'parent'
    | 'sibling'
    | 'grandparent'
    | 'grandchild'
    | 'guardian'
    | 'dependent'
    | 'pet_dog'
    | 'pet_cat'
    | 'pet_bird'
    | 'pet_other'
    | null
  date_of_birth: string | null
  time_zone: string
  locale: string
  /** False where somebody else has granted access. */
  is_own: boolean
  /** UTC */
  created_at: string
  /** UTC */
  updated_at: string
}

export type ProfileList = {
  profiles: Profile[]
  /** Null until the first switch, or when it is not reached any more. */
  current_profile_id: string | null
  /** The last ten, newest first. */
  recent_profile_ids: string[]
}

export type AccessLog = {
  entries: {
    id: string
    /** UTC */
    at: string
    who: {
      /** `service`: our own processing. */
      kind: 'account' | 'clinician' | 'service'
      /** Null where the account has been closed. */
      name: string | null
      /** Whoever started what the service did. */
      on_behalf_of: string | null
    }
    why: {
      /** `owner`: their own record, or that of somebody they look after. */
      basis: 'owner' | 'guardian' | 'delegate' | 'provider' | 'break_glass' | null
      /** Who gave the access to a delegate or a guardian. */
      shared_by: string | null
      /** The purpose of a clinician, the reason for which the glass was broken. */
      reason: string | null
      /** In the words of whoever broke the glass. */
      explanation: string | null
    }
    what: {
      /** The table. */
      resource: string
      /** What of it was shown, for reads. */
      view: string | null
      record_id: string
      operation: 'INSERT' | 'UPDATE' | 'DELETE' | 'SELECT' | 'EXECUTE'
    }
    /** Equal reads within a moment are one entry. */
    count: number
  }[]
  /** Opaque; null at the end. */
  next_cursor: string | null
}

export type UploadAnswer = {
  shell_file_id: string
  job_id: string | null
  status: 'enqueued' | 'uploaded' | 'processing' | 'completed' | 'needs_review' | 'failed'
  filename: string
  size_bytes: number
  mime_type: string
  sha256: string
  duplicate_of: string | null
  usage: UsageStatus
  correlation_id: string | null
}

export type ResumableState = {
  size_bytes: number
  received_bytes: number
  /** UTC */
  expires_at: string
  /** As an upload in one piece is answered; null until it is whole. */
  upload: UploadAnswer | null
}

export type Stage = {
  stage: 'security_scan' | 'ocr' | 'spatial_mapping' | 'pass1_find' | 'pass2_code' | 'pass3_narrate'
  status: 'pending' | 'running' | 'completed' | 'held' | 'failed' | 'skipped'
  started_at: string | null
  finished_at: string | null
  pages_done: number | null
  pages_total: number | null
  error: {
    code: string
    /** Safe to show to a patient. */
    message: string
  } | null
  /** What a person should know of a document that was taken: safe to show. */
  notices: {
    code: string
    /** Safe to show to a patient. */
    message: string
  }[]
}

export type Document = {
  id: string
  patient_id: string
  filename: string
  mime_type: string
  size_bytes: number
  sha256: string
  /** Derived from the stages. */
  status: 'uploaded' | 'processing' | 'completed' | 'needs_review' | 'failed'
  review_state: 'none' | 'pending' | 'accepted' | 'rejected'
  document_class: string | null
  document_date: string | null
  page_count: number | null
  quality_grade: string | null
  note: string | null
  processing_error: {
    stage: string
    code: string
    message: string
    [key: string]: unknown
  } | null
  /** UTC */
  created_at: string
  /** UTC */
  updated_at: string
  stages: Stage[]
  /** Set where the name or date of birth in the document made somebody ask. */
  identity_review: {
    id: string
    status: 'pending' | 'accepted' | 'rejected'
    reasons: string[]
    decided_at: string | null
  } | null
}

export type DocumentHead = {
  id: string
  patient_id: string
  filename: string
  mime_type: string
  size_bytes: number
  sha256: string
  /** Derived from the stages. */
  status: 'uploaded' | 'processing' | 'completed' | 'needs_review' | 'failed'
  review_state: 'none' | 'pending' | 'accepted' | 'rejected'
  document_class: string | null
  document_date: string | null
  page_count: number | null
  quality_grade: string | null
  note: string | null
  processing_error: {
    stage: string
    code: string
    message: string
    [key: string]: unknown
  } | null
  /** UTC */
  created_at: string
  /** UTC */
  updated_at: string
}

export type DocumentList = {
  documents: DocumentHead[]
  /** Opaque; null at the end. */
  next_cursor: string | null
}

export type DocumentEvent = {
  id: number
  stage: 'security_scan' | 'ocr' | 'spatial_mapping' | 'pass1_find' | 'pass2_code' | 'pass3_narrate' | null
  status: 'pending' | 'running' | 'completed' | 'held' | 'failed' | 'skipped' | null
  file_status: 'uploaded' | 'processing' | 'completed' | 'needs_review' | 'failed'
  pages_done: number | null
  pages_total: number | null
  /** UTC */
  at: string
}

export type Page = {
  page: number
  width_pt: number
  height_pt: number
  /** Quarter turns clockwise, in degrees, that made the stored page upright. */
  rotation: number
  source: string
  engine: string
  quality: {
    grade: string
    reason: string | null
  }
  word_count: number
}

export type Word = {
  text: string
  confidence: number
  /** x0, y0, x1, y1 as fractions of the upright page, from its top left corner */
  box: number[]
  /** With `q`: which place the word belongs to, from 0. */
  match?: number | undefined
}

export type DocumentText = {
  version: number
  /** Pages end with a form feed; facts point into it. */
  text: string
}

export type Fact = {
  id: string
  type:
    | 'medication'
    | 'lab_result'
    | 'vital_sign'
    | 'condition'
    | 'allergy'
    | 'immunization'
    | 'procedure'
    | 'symptom'
    | 'physical_finding'
    | 'imaging_result'
    | 'family_history'
    | 'social_history'
    | 'encounter'
    | 'identity'
  text: string
  value: string | null
  unit: string | null
  reference_range: string | null
  /** ISO 8601, as exact as printed: it may be a year alone. */
  date: string | null
  status: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'
  /** What is particular to the type: dose, route, laterality, … */
  detail: {
    [key: string]: string
  }
  code: {
    system: string
    code: string
    display: string
  } | null
  confidence: 'high' | 'check' | 'low'
  reason: string | null
  /** `rejected` as well where a person said that the document is not theirs. */
  review: 'unreviewed' | 'accepted' | 'edited' | 'rejected'
  /** Another one after every change; whoever decides says which one they saw. */
  version: string
  /** The last decision of a person that stands. */
  decision_id: string | null
  /** What was found, where a person has corrected it. */
  as_found: {
    text: string
    value: string | null
    unit: string | null
    reference_range: string | null
    /** ISO 8601, as exact as printed: it may be a year alone. */
    date: string | null
    status: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'
    /** What is particular to the type: dose, route, laterality, … */
    detail: {
      [key: string]: string
    }
  } | null
  /** Waits for a person to say whose the document is, and is not part of the record until then. */
  held: boolean
  /** Part of the record; `reason` says why a fact is not. */
  in_record: boolean
  /** A person said that it is not the same as what others say. */
  is_separate: boolean
  /** Other documents that the record takes to say the same, newest first; at most 20. */
  also_in: {
    document_id: string
    fact_id: string
  }[]
  /** Empty where a person entered the fact and named no words. */
  sources: {
    page: number
    /** x0, y0, x1, y1 as fractions of the upright page, from its top left corner */
    box: number[]
    quote: string
    /** UTF-16 code units into the text */
    start: number
    length: number
    /** Of the text that `start` and `length` count in: `GET /documents/:id/text?version=`. */
    text_version: number
    /** Of the mention that stands here; of one thing there may be several. */
    fact_id: string
  }[]
  found_by: {
    pass: number
    provider: string
    model: string
    prompt_version: string | null
  }
}

export type FactList = {
  facts: Fact[]
}

export type Narrative = {
  title: string
  /** What wrote it: `templates-…`, or the model that was asked. */
  model: string
  sentences: {
    sentence: string
    /** Of facts in `document_ids`, as far as you may see them; each leads to its places on the page. */
    fact_ids: string[]
    event_ids: string[]
    document_ids: string[]
  }[]
}

export type NarrativeList = {
  narratives: Narrative[]
}

export type DecidedFact = {
  /** To take it back: `POST /documents/:id/review/undo`. */
  decision_id: string
  fact: Fact
}

export type AcceptedFacts = {
  decision_id: string
  accepted: string[]
  skipped: {
    id: string
    reason: 'not_in_document' | 'not_checked_yet' | 'already_decided'
  }[]
}

export type DecisionList = {
  decisions: {
    decision_id: string
    decision: 'accepted' | 'edited' | 'rejected' | 'entered' | 'separated'
    reason: 'wrong_value' | 'wrong_person' | 'not_said' | 'duplicate' | 'other' | null
    fact_ids: string[]
    /** UTC */
    decided_at: string
    /** The caller has made it. */
    is_own: boolean
    undone_at: string | null
  }[]
}

export type FactChanges = {
  /** When the document was sent to be processed again; null: never. */
  compared_with: string | null
  /** Facts are found and coded; before that, what is missing may still come. */
  settled: boolean
  unchanged: number
  new: {
    /** Of a fact that is gone: the one that it had. */
    id: string
    type:
      | 'medication'
      | 'lab_result'
      | 'vital_sign'
      | 'condition'
      | 'allergy'
      | 'immunization'
      | 'procedure'
      | 'symptom'
      | 'physical_finding'
      | 'imaging_result'
      | 'family_history'
      | 'social_history'
      | 'encounter'
      | 'identity'
    text: string
    status: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'
    value: string | null
    unit: string | null
    date: string | null
    in_record: boolean
  }[]
  changed: {
    /** Of a fact that is gone: the one that it had. */
    id: string
    type:
      | 'medication'
      | 'lab_result'
      | 'vital_sign'
      | 'condition'
      | 'allergy'
      | 'immunization'
      | 'procedure'
      | 'symptom'
      | 'physical_finding'
      | 'imaging_result'
      | 'family_history'
      | 'social_history'
      | 'encounter'
      | 'identity'
    text: string
    status: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'
    value: string | null
    unit: string | null
    date: string | null
    in_record: boolean
    changes: {
      field: string
      before: string | null
      after: string | null
    }[]
  }[]
  gone: {
    /** Of a fact that is gone: the one that it had. */
    id: string
    type:
      | 'medication'
      | 'lab_result'
      | 'vital_sign'
      | 'condition'
      | 'allergy'
      | 'immunization'
      | 'procedure'
      | 'symptom'
      | 'physical_finding'
      | 'imaging_result'
      | 'family_history'
      | 'social_history'
      | 'encounter'
      | 'identity'
    text: string
    status: 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'
    value: string | null
    unit: string | null
    date: string | null
    in_record: boolean
  }[]
}

export type Processed = {
  shell_file_id: string
  job_id: string
  from_stage: 'security_scan' | 'ocr' | 'spatial_mapping' | 'pass1_find' | 'pass2_code' | 'pass3_narrate'
  status: 'enqueued'
}

export type DocumentChange = {
  id: number
  stage: 'security_scan' | 'ocr' | 'spatial_mapping' | 'pass1_find' | 'pass2_code' | 'pass3_narrate' | null
  status: 'pending' | 'running' | 'completed' | 'held' | 'failed' | 'skipped' | null
  file_status: 'uploaded' | 'processing' | 'completed' | 'needs_review' | 'failed'
  pages_done: number | null
  pages_total: number | null
  /** UTC */
  at: string
  document_id: string
  patient_id: string
}

export type NotificationTold = {
  id: string
  kind:
    | 'access_offered'
    | 'provider_access_requested'
    | 'break_glass_used'
    | 'account_closure_requested'
    | 'export_ready'
    | 'slo_missed'
  patient_id: string | null
  /** What it is about: an offer, a request, an export, … */
  subject_id: string
  /** UTC */
  at: string
}

export type Reset = {
  /** Events of then are gone; or the id is of another database, or made up. */
  reason: 'too_old' | 'unknown'
}

export type RealtimeEvent =
  | {
      /** Opaque, for Last-Event-ID. */
      id: string
      event: 'file' | 'stage'
      data: DocumentChange
    }
  | {
      /** Opaque, for Last-Event-ID. */
      id: string
      event: 'notification'
      data: NotificationTold
    }
  | {
      /** Opaque, for Last-Event-ID. */
      id: string
      event: 'ready'
      data: Record<string, never>
    }
  | {
      /** Opaque, for Last-Event-ID. */
      id: string
      event: 'reset'
      data: Reset
    }

export type UsageStatus = {
  current_period: {
    start: string
    end: string
    resets_at: string
  }
  usage: {
    shell_files: {
      used: number
      /** null = unlimited */
      limit: number | null
      percentage: number | null
    }
    pages: {
      used: number
      /** null = unlimited */
      limit: number | null
      percentage: number | null
    }
    ai_tokens: {
      used: number
      /** null = unlimited */
      limit: number | null
      percentage: number | null
    }
    storage: {
      used_mb: number
      limit_mb: number | null
      percentage: number | null
    }
  }
  status: {
    plan_type: 'free' | 'basic' | 'premium' | 'enterprise'
    over_limit: boolean
    upgrade_required: boolean
    enforced: boolean
    /** A limit is near, and larger plans are to be shown. */
    upgrade_prompt: boolean
  }
  /** Limits that are near, reached or passed. */
  warnings: {
    limit_name: string
    level: 'near' | 'reached' | 'over'
  }[]
}

export type UsageHistory = {
  months: {
    month_start: string
    patient_id: string
    shell_files: number
    pages: number
    ai_tokens: number
    ai_seconds: number
    /** Less than nothing where more was deleted than uploaded. */
    storage_bytes_added: number
    /** As it stood when the month ended, or stands now. */
    storage_bytes: number
  }[]
}

export type PlanList = {
  plans: {
    plan_type: 'free' | 'basic' | 'premium' | 'enterprise'
    display_name: string
    shell_files_limit: number | null
    pages_limit: number | null
    ai_tokens_limit: number | null
    storage_mb_limit: number | null
    monthly_price: string
  }[]
}

export type UploadPermission = {
  allowed: boolean
  /** False: limits only warn. */
  enforced: boolean
  /** The limits that this file would pass. */
  passed: {
    limit_name: string
    used: number
    limit: number
    requested: number
    resets_at: string | null
  }[]
  usage: UsageStatus
}

export type Subscription = {
  account_id: string
  plan_type: 'free' | 'basic' | 'premium' | 'enterprise'
  /** UTC */
  effective_from: string
}

export type DataExport = {
  export_id: string
  patient_id: string
  job_id: string | null
  status: 'requested' | 'ready' | 'failed' | 'expired'
  /** UTC */
  requested_at: string
  ready_at: string | null
  /** Until then the archive can be fetched. */
  expires_at: string | null
  size_bytes: number | null
  sha256: string | null
}

export type DataExportList = {
  /** Newest first. */
  exports: DataExport[]
}

export type AccountClosure = {
  closure_id: string
  status: 'requested' | 'cancelled' | 'purging' | 'purged'
  /** UTC */
  requested_at: string
  /** Until then it can be called off, and everything can be read and exported. */
  due_at: string
  cancelled_at: string | null
}

export type AccountClosureAnswer = {
  /** The newest; null: never asked for. */
  closure: AccountClosure | null
}
