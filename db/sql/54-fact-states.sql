-- What people decide about facts: accept, edit, reject, enter by hand, and take any of it back.
--
-- A decision is on a thing as its file says it: the fact and the other mentions in this file that were merged with it. What
-- other files say as well stays in the record as theirs. The columns of a fact stay as they were found, since the next run
-- knows it by them; what a person says instead stands in `corrected`. `fact_review_decisions.before` holds what stood before:
--
--   {"facts": [states, with their entries], "codes": [rows of the first fact], "kept": {"event": row} or {"encounter": row} or null}
--
-- A decision changes what facts say, or that they say it; the record follows by itself (53-settling.sql).
--
-- Locks, as everywhere: processing permission, record of the patient, file. Nobody else changes a record meanwhile, a stage
-- included, so that what is looked at here still holds when it is written.

create or replace function public.fact_version(p_updated_at timestamptz) returns text
language sql stable set search_path = '' as $$
  select to_char(p_updated_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')
$$;
comment on function public.fact_version(timestamptz) is
  'Which state of a fact somebody has seen: another one after every change, whoever made it.';

create or replace function public.hold_record_of_file(p_shell_file_id uuid) returns public.shell_files
language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  -- Asked before anything is held: whom it is not open to does not keep others waiting.
  perform from public.shell_files as file
  where file.id = p_shell_file_id
    and public.has_resource_access(auth.uid(), file.patient_id, 'read_write', 'clinical');
  if found then
    perform public.lock_patient_record(public.hold_processing_of_file(p_shell_file_id));
    select * into v_file
    from public.shell_files as file
    where file.id = p_shell_file_id and file.deleted_at is null
    for no key update;
  end if;
  if v_file.id is null then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
  return v_file;
end
$$;
comment on function public.hold_record_of_file(uuid) is
  'The file and its patient''s record, held, if the caller may write clinical data; else no_data_found, whatever the reason.';

create or replace function public.require_right_to_take_away(p_patient_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  perform from public.profile_grants_of(auth.uid()) as held
  where held.profile_id = p_patient_id
    and public.access_level_rank(held.level) >= public.access_level_rank('read_write')
    and held.basis not in ('provider', 'break_glass');
  if not found then
    raise exception 'What is in a record is not a clinician''s to take away.' using errcode = 'insufficient_privilege';
  end if;
end
$$;
comment on function public.require_right_to_take_away(uuid) is
  'Raises insufficient_privilege unless the caller may take something out of the record: whoever may write, but no clinician.';

create or replace function public.mentions_of(p_fact public.entity_processing_audit_v2) returns uuid[]
language sql stable set search_path = '' as $$
  select array_agg(mention.id order by (mention.id = p_fact.id) desc, mention.id)
  from public.entity_processing_audit_v2 as mention
  where mention.shell_file_id = p_fact.shell_file_id
    and (mention.id = p_fact.id or mention.event_id = p_fact.event_id)
$$;
comment on function public.mentions_of(public.entity_processing_audit_v2) is
  'The fact, and what its file says of the same event elsewhere: one thing to whoever reviews it.';

create or replace function public.facts_before(p_fact_ids uuid[], p_event_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
      'facts', (
        select jsonb_agg(
          public.pick_columns(to_jsonb(fact), array[
            'id', 'decision', 'decision_reason', 'confidence', 'confidence_reason', 'review', 'reviewed_at', 'corrected',
            'entry', 'apart_id', 'event_id'
          ])
          order by array_position(p_fact_ids, fact.id)
        )
        from public.entity_processing_audit_v2 as fact
        where fact.id = any (p_fact_ids)
      ),
      'codes', (
        select coalesce(jsonb_agg(to_jsonb(candidate) order by candidate.rank), '[]')
        from public.medical_code_assignments as candidate
        where candidate.fact_id = p_fact_ids[1]
      ),
      'kept', coalesce(
        (select jsonb_build_object('event', to_jsonb(event)) from public.patient_clinical_events as event where event.id = p_event_id),
        (
          select jsonb_build_object('encounter', to_jsonb(encounter))
          from public.healthcare_encounters as encounter
          where encounter.id = p_event_id
        )
      )
    );
end
$$;
comment on function public.facts_before(uuid[], uuid) is 'What a decision is about to change, for taking it back.';
drop function if exists public.facts_before(uuid[], jsonb);

create or replace function public.settle_facts(
  p_fact_ids uuid[],
  p_patient_id uuid,
  p_bases_before text[],
  p_left uuid[]
) returns void language plpgsql volatile set search_path = '' as $$
begin
  perform public.settle_record(p_patient_id, array(
    select unnest(p_bases_before)
    union
    select fact.entry_base
    from public.entity_processing_audit_v2 as fact
    where fact.id = any (p_fact_ids) and fact.entry is not null
  ), coalesce(p_left, '{}'));
end
$$;
comment on function public.settle_facts(uuid[], uuid, text[], uuid[]) is
  'After facts have come to say something else: their bases before and now are settled, and the events that they left.';

create or replace function public.bases_of(p_fact_ids uuid[]) returns text[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(distinct fact.entry_base), '{}')
  from public.entity_processing_audit_v2 as fact
  where fact.id = any (p_fact_ids) and fact.entry is not null
$$;
comment on function public.bases_of(uuid[]) is 'What of the record these facts have a part in.';

create or replace function public.put_codes(p_fact_id uuid, p_patient_id uuid, p_codes jsonb) returns void
language plpgsql volatile set search_path = '' as $$
begin
  delete from public.medical_code_assignments as candidate where candidate.fact_id = p_fact_id;
  insert into public.medical_code_assignments
  select candidate.*
  from jsonb_array_elements(coalesce(p_codes, '[]')) as offered (row),
    jsonb_populate_record(
      null::public.medical_code_assignments,
      offered.row || jsonb_build_object('fact_id', p_fact_id, 'patient_id', p_patient_id)
    ) as candidate;
end
$$;
comment on function public.put_codes(uuid, uuid, jsonb) is 'The candidates of a fact, replaced as a whole.';

-- What a client offers as an entry says what a thing is, never whose it is, where it came from or how it was reviewed.
create or replace function public.offered_entry(p_entry jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return case
      when p_entry ? 'encounter' then jsonb_build_object('encounter', public.pick_columns(
        p_entry -> 'encounter',
        array['encounter_kind', 'name', 'assertion', 'start_date', 'end_date', 'provider', 'facility']
      ))
      when p_entry ? 'event' then jsonb_build_object(
        'event', public.pick_columns(
          p_entry -> 'event',
          array['event_type', 'assertion', 'event_date', 'event_day', 'date_meaning', 'merge_key', 'encounter_id']
        ),
        'spoke', p_entry -> 'spoke',
        'components', coalesce(p_entry -> 'components', '[]')
      )
    end;
end
$$;
comment on function public.offered_entry(jsonb) is 'An entry as a person gives it, with nothing in it that is not theirs to say; null for none.';

-- The story of a file is told again in a job: many decisions in a row are told once.
create or replace function public.tell_story_again(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.shell_file_stages as step
  set status = 'pending',
      pages_done = null,
      pages_total = null,
      error = null,
      started_at = null,
      finished_at = null,
      repeats = true
  from public.shell_files as file
  where file.id = p_shell_file_id
    and step.shell_file_id = p_shell_file_id
    and step.stage = 'pass3_narrate'
    and step.status = 'completed'
    and public.processing_allowed(file.patient_id)
    and not exists (
      select from public.job_queue as job
      where job.shell_file_id = p_shell_file_id and job.status in ('pending', 'processing')
    );
  if found then
    perform public.enqueue_stage(p_shell_file_id, 'pass3_narrate');
  end if;
end
$$;
comment on function public.tell_story_again(uuid) is
  'After the record has changed under a file''s story; without effect while the file is being processed, or may not be.';

revoke all on function
  public.fact_version(timestamptz),
  public.hold_record_of_file(uuid),
  public.require_right_to_take_away(uuid),
  public.mentions_of(public.entity_processing_audit_v2),
  public.facts_before(uuid[], uuid),
  public.settle_facts(uuid[], uuid, text[], uuid[]),
  public.bases_of(uuid[]),
  public.put_codes(uuid, uuid, jsonb),
  public.offered_entry(jsonb),
  public.tell_story_again(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.fact_version(timestamptz) to authenticated, service_role;
