-- The record as it is read: events with their spokes, and storylines. What is archived or lies in the bin is not in it
-- (51-withdrawal.sql).

-- It reads as its owner and asks for access itself, once. With the policies of its ten tables each row source would ask
-- again (measured: ten questions of 40 us beside a page of 600 us); as it is, a page costs one.
create or replace view public.patient_record
  with (security_barrier = true) as
select
  event.id,
  event.patient_id,
  event.shell_file_id,
  encounter.id as encounter_id,
  event.event_type,
  event.assertion,
  event.event_date,
  event.event_day,
  event.date_meaning,
  event.confidence,
  event.confidence_reason,
  event.review,
  coalesce(
    observation.name, condition.name, medication.name, allergy.name, immunization.name, intervention.name,
    relative.name, social.name
  ) as name,
  coalesce(
    observation.code_system, condition.code_system, medication.code_system, allergy.code_system,
    immunization.code_system, intervention.code_system, relative.code_system, social.code_system
  ) as code_system,
  coalesce(
    observation.code, condition.code, medication.code, allergy.code, immunization.code, intervention.code,
    relative.code, social.code
  ) as code,
  coalesce(observation.value_text, medication.strength, social.value_text) as value_text,
  observation.comparator,
  observation.value_numeric,
  coalesce(observation.unit, medication.strength_unit) as unit,
  observation.unit_ucum,
  observation.reference_range,
  observation.flag,
  medication.dose,
  medication.route,
  medication.frequency,
  coalesce(medication.clinical_status, condition.clinical_status, intervention.clinical_status) as clinical_status,
  medication.indication,
  allergy.reaction,
  relative.relationship
from public.patient_clinical_events as event
left join public.patient_observations as observation on observation.event_id = event.id
left join public.patient_conditions as condition on condition.event_id = event.id
left join public.patient_medications as medication on medication.event_id = event.id
left join public.patient_allergies as allergy on allergy.event_id = event.id
left join public.patient_immunizations as immunization on immunization.event_id = event.id
left join public.patient_interventions as intervention on intervention.event_id = event.id
left join public.family_history as relative on relative.event_id = event.id
left join public.social_history as social on social.event_id = event.id
-- An event that another file keeps alive does not point at an encounter of the file in the bin.
left join public.healthcare_encounters as encounter on encounter.id = event.encounter_id and encounter.withdrawn_at is null
where event.archived_at is null
  and event.withdrawn_at is null
  and (
    event.patient_id = any ((select public.accessible_profile_ids('read_only', 'clinical'))::uuid[])
    or (select public.acting_as_service())
  );

comment on view public.patient_record is
  'Clinical events with what their spokes say, one row each, without what is archived or in the bin; of those patients alone whose clinical data its reader may see.';

revoke all on public.patient_record from public, anon, authenticated, service_role;
grant select on public.patient_record to authenticated, service_role;
grant execute on function public.acting_as_service() to authenticated, service_role;
grant execute on function public.accessible_profile_ids(text, text) to service_role;

create or replace view public.patient_narrative
  with (security_invoker = true, security_barrier = true) as
select
  narrative.id,
  narrative.patient_id,
  narrative.shell_file_id,
  narrative.title,
  narrative.ordinal,
  sentence.ordinal as sentence_ordinal,
  sentence.sentence,
  sentence.cited_event_ids
from public.clinical_narratives as narrative
join public.clinical_narrative_sentences as sentence on sentence.narrative_id = narrative.id
where sentence.withdrawn_at is null;
comment on view public.patient_narrative is
  'Storylines, a row for each sentence, without what is in the bin. The policies of the reader apply.';

revoke all on public.patient_narrative from public, anon, authenticated, service_role;
grant select on public.patient_narrative to authenticated, service_role;
