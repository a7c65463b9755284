-- Contacts follow from the facts that tell of them, as events do (53-settling.sql); none is ever merged.

create or replace function public.settle_encounters(p_patient_id uuid, p_bases text[], p_left uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
  -- Their bases name them: most of what is settled is no contact.
  v_contacts constant uuid[] := array(
    select substr(base, length('encounter ') + 1)::uuid from unnest(p_bases) as base where starts_with(base, 'encounter ')
  );
begin
  delete from public.healthcare_encounters as encounter
  where encounter.patient_id = p_patient_id
    and encounter.id = any (p_left)
    and not exists (
      select
      from public.entity_processing_audit_v2 as fact
      where fact.id = encounter.fact_id and fact.entry ? 'encounter'
    );
  if v_contacts = '{}' then
    return;
  end if;
  insert into public.healthcare_encounters as known
    (id, patient_id, shell_file_id, fact_id, encounter_kind, name, assertion, start_date, end_date, provider, facility, withdrawn_at)
  select fact.id, fact.patient_id, fact.shell_file_id, fact.id, said.encounter_kind, said.name, said.assertion,
    said.start_date, said.end_date, said.provider, said.facility, file.deleted_at
  from public.entity_processing_audit_v2 as fact
  join public.shell_files as file on file.id = fact.shell_file_id
  cross join jsonb_populate_record(null::public.healthcare_encounters, fact.entry -> 'encounter') as said
  where fact.id = any (v_contacts) and fact.patient_id = p_patient_id and fact.entry ? 'encounter'
  on conflict (id) do update
  set encounter_kind = excluded.encounter_kind,
      name = excluded.name,
      assertion = excluded.assertion,
      start_date = excluded.start_date,
      end_date = excluded.end_date,
      provider = excluded.provider,
      facility = excluded.facility,
      withdrawn_at = excluded.withdrawn_at
  where (known.encounter_kind, known.name, known.assertion, known.start_date, known.end_date, known.provider,
      known.facility, known.withdrawn_at)
    is distinct from (excluded.encounter_kind, excluded.name, excluded.assertion, excluded.start_date, excluded.end_date,
      excluded.provider, excluded.facility, excluded.withdrawn_at);
  update public.entity_processing_audit_v2 as fact
  set decision = 'admitted',
      decision_reason = null,
      event_id = fact.id,
      updated_at = clock_timestamp()
  where fact.id = any (v_contacts)
    and fact.patient_id = p_patient_id
    and fact.entry ? 'encounter'
    and (fact.decision <> 'admitted' or fact.event_id is distinct from fact.id);
  -- What was within a contact that is back is within it again.
  update public.patient_clinical_events as event
  set encounter_id = (lead.entry #>> '{event,encounter_id}')::uuid,
      updated_at = clock_timestamp()
  from public.entity_processing_audit_v2 as lead
  where lead.shell_file_id in (select contact.shell_file_id from public.healthcare_encounters as contact where contact.id = any (v_contacts))
    and lead.decision = 'admitted'
    and lead.entry #>> '{event,encounter_id}' = any (v_contacts::text[])
    and event.id = lead.event_id
    and event.shell_file_id = lead.shell_file_id
    and event.encounter_id is null;
end
$$;
comment on function public.settle_encounters(uuid, text[], uuid[]) is
  'A contact is what its one fact says, and goes with it.';

revoke all on function public.settle_encounters(uuid, text[], uuid[]) from public, anon, authenticated, service_role;
