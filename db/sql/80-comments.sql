-- What each table is for, so that studio and psql explain themselves. Tables of the queue and the limits are explained
-- where they are seeded (20-queue.sql, 25-limits.sql).

-- foundations
comment on table public.audit_log is 'One row per change of state, and per reading of a record: who, what, when, for which job and request. Append-only, by month, sealed into hash chains.';
comment on table public.audit_seals is 'How far each month of the audit log was sealed, and with which hash: shows that last rows are missing.';
comment on table public.failed_audit_events is 'Audit events that were refused when they were written, kept until they are in the log.';
comment on table public.system_notifications is 'What an account is told, as a kind and ids; the words are the client''s.';
comment on table public.system_configuration is 'Numbers and words that operators change while everything runs.';
comment on table public.feature_flags is 'Switches of the whole installation.';

-- identity
comment on table public.user_profiles is 'Data subjects: oneself, a child, a dependent, a pet. Every patient_id is an id of this table, never of an account.';
comment on table public.profile_access_permissions is 'Who else may reach a profile, at which level and for how long; open once accepted.';
comment on table public.account_roles is 'What an account is to the system itself (operator); written by operators, never taken from a token.';
comment on table public.consent_purposes is 'What a person''s data may be used for, and whether that holds before they have decided.';
comment on table public.patient_consents is 'Decisions on purposes, append-only; the last one holds.';
comment on table public.provider_registry is 'Clinicians; verified by operators alone.';
comment on table public.patient_provider_access is 'What a clinician asked for and the patient decided: purpose, part of the record, time.';
comment on table public.break_glass_accesses is 'Reading without having been granted it: who, why, how long. The patient is told.';
comment on table public.data_exports is 'Archives of everything of one person: asked for, made, kept for a few days.';
comment on table public.account_closures is 'The closing of accounts: waiting period, outcome, evidence. Holds nothing personal and outlives the account.';
comment on table public.retention_rules is 'How long rows of each table are kept, and why.';
comment on table public.user_profile_context is 'Whose record each account has open, and had before; one row for an account.';
comment on table login.users is 'Embedded accounts: who signed up here. Mirrored into auth.users with a self profile.';
comment on table login.sessions is 'Embedded accounts: who is signed in. A token opens nothing without the signature that goes with it.';
comment on table login.accounts is 'Embedded accounts: ways to sign in, with password hashes.';
comment on table login.verifications is 'Embedded accounts: short-lived proofs, as for a reset.';
comment on table login.two_factors is 'Embedded accounts: secrets of authenticator apps and backup codes, encrypted, and how often a code was wrong.';
comment on table login.messages is 'Embedded accounts: what was to be told by mail within the last day, to which address.';
comment on table login.keys is 'Embedded accounts: keys that sign tokens.';

-- documents
comment on table public.shell_files is 'One uploaded physical file, which may hold several medical documents. Its status is derived from its stages.';
comment on table public.shell_file_stages is 'How far each stage of a file has come; changed by begin_stage, finish_stage and their like alone.';
comment on table public.shell_file_events is 'What happened to a file, in order: what clients follow live and replay. Ids and states only.';
comment on table public.shell_file_pages is 'Pages of a file with their words and boxes, packed by column.';
comment on table public.page_pictures is 'Pictures of pages that were drawn and are kept in the store for a while; none is needed, all can be drawn again.';
comment on table public.shell_file_texts is 'The text of a file in reading order; facts point into it, so a version is never edited.';
comment on table public.erased_objects is 'Bytes whose document has been erased and which the store still holds, until a worker has deleted them.';
comment on table public.processing_errors is 'One row per failed attempt of a job: stage, code, and a message safe to show.';
comment on table public.idempotency_keys is 'Upload requests by account, profile and key: who runs, and the answer for replays.';
comment on table public.resumable_uploads is 'Uploads that come in pieces: how far each is, who holds it, and what it was answered with.';

-- facts
comment on table public.entity_processing_audit_v2 is 'What each pass found, and whether it was admitted, merged, held or refused, and why. Its id is the id of the fact.';
comment on table public.fact_sources is 'Where a fact stands: page, box, words. A fact without a row here does not exist.';
comment on table public.model_answers is 'What a model answered, by a hash of the question: the same is not paid for twice. None is needed, all can be asked for again.';
comment on table public.semantic_processing_sessions is 'One run of a pass over a file: which model answered, at what cost, and how much it covered.';
comment on table public.medical_code_assignments is 'Codes that came into question for a fact, best first, with how they were found; one may be selected.';
comment on table public.fact_review_decisions is 'What a person decided about a fact, when and why, and what stood before, so that it can be taken back.';
comment on table public.fact_snapshots is 'What was read in a file before it was last processed again, to tell what is new, changed or gone.';
comment on table public.manual_review_queue is 'What waits for a person before it may pass on.';

-- clinical
comment on table public.healthcare_encounters is 'Contacts with healthcare that a document tells of.';
comment on table public.patient_clinical_events is 'The hub: one row per admitted fact; what is particular stands in one spoke.';
comment on table public.patient_observations is 'Spoke: laboratory results, vital signs, findings, conclusions of imaging.';
comment on table public.patient_observation_components is 'Parts of a measurement that is printed as one, as of a blood pressure.';
comment on table public.patient_medications is 'Spoke: medicines, with dose, route and frequency as printed and as codes.';
comment on table public.patient_conditions is 'Spoke: diagnoses and symptoms.';
comment on table public.patient_allergies is 'Spoke: allergies and intolerances, and their stated absence.';
comment on table public.patient_immunizations is 'Spoke: vaccines given.';
comment on table public.patient_interventions is 'Spoke: procedures and treatments.';
comment on table public.family_history is 'Spoke: what relatives had; never the patient''s own.';
comment on table public.social_history is 'Spoke: smoking, alcohol, work, living.';
comment on table public.clinical_narratives is 'Storylines over the admitted facts of a file.';
comment on table public.clinical_narrative_sentences is 'Sentences of a storyline; each cites the events that it tells of.';

-- usage
comment on table public.subscription_plans is 'What each plan allows in a month, per account; null = unlimited.';
comment on table public.account_subscriptions is 'Which plan an account had, from when to when; none = free.';
comment on table public.usage_events is 'Append-only ledger of what was used; the source id makes a replay count nothing.';
comment on table public.user_usage_tracking is 'Counters per account, month and profile, kept equal to the ledger by its trigger.';

-- terminology
comment on table public.terminology_systems is 'Code systems with their version, licence and the notice that travels with them; nothing of any person.';
comment on table public.terminology_concepts is 'Codes of a system and what each is called.';
comment on table public.terminology_synonyms is 'Every wording of a code, its display first, folded as the search compares them.';
