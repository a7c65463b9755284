-- Accepting facts: one, or many at once.

create or replace function public.accept_mentions(p_shell_file_id uuid, p_fact_ids uuid[], p_decision_id uuid) returns uuid[]
language plpgsql volatile set search_path = '' as $$
declare
  v_accepted uuid[];
  v_patient_id uuid;
begin
  with wanted as (
    select distinct on (coalesce(fact.event_id, fact.id)) fact.id, fact.event_id, fact.patient_id
    from public.entity_processing_audit_v2 as fact
    where fact.id = any (p_fact_ids)
      and fact.shell_file_id = p_shell_file_id
      and fact.review = 'unreviewed'
      and fact.decision not in ('found', 'held')
    order by coalesce(fact.event_id, fact.id), array_position(p_fact_ids, fact.id)
  ),
  things as materialized (
    select wanted.id, wanted.event_id, wanted.patient_id, array(
      select mention.id
      from public.entity_processing_audit_v2 as mention
      where mention.shell_file_id = p_shell_file_id
        and (mention.id = wanted.id or mention.event_id = wanted.event_id)
        and mention.review = 'unreviewed'
      order by (mention.id = wanted.id) desc, mention.id
    ) as mentions
    from wanted
  ),
  kept as (
    insert into public.fact_review_decisions
      (decision_id, patient_id, shell_file_id, fact_ids, decision, before, decided_by, decided_at)
    select p_decision_id, thing.patient_id, p_shell_file_id, thing.mentions, 'accepted',
      public.facts_before(thing.mentions, thing.event_id),
      auth.uid(), clock_timestamp()
    from things as thing
  ),
  facts as (
    update public.entity_processing_audit_v2 as fact
    set review = 'accepted',
        confidence = 'high',
        confidence_reason = null,
        reviewed_by = auth.uid(),
        reviewed_at = clock_timestamp(),
        updated_at = clock_timestamp()
    from things as thing
    where fact.id = any (thing.mentions)
  )
  select array_agg(thing.id), (array_agg(thing.patient_id))[1] into v_accepted, v_patient_id from things as thing;
  perform public.settle_record(v_patient_id, public.bases_of(v_accepted));
  return coalesce(v_accepted, '{}');
end
$$;
comment on function public.accept_mentions(uuid, uuid[], uuid) is
  'Accepts those of these facts that wait for it, each with its other mentions in the file; gives the ids of those that were named.';

-- Definer: access is checked first; clients cannot write facts or the record.
create or replace function public.accept_facts(
  p_shell_file_id uuid,
  p_fact_ids uuid[] default null,
  p_decision_id uuid default public.uuid_v7()
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files := public.hold_record_of_file(p_shell_file_id);
  v_known public.fact_review_decisions;
  v_accepted uuid[];
begin
  select * into v_known
  from public.fact_review_decisions as known
  where known.decision_id = p_decision_id
  limit 1;
  if v_known.id is null then
    v_accepted := public.accept_mentions(v_file.id, coalesce(p_fact_ids, array(
      select fact.id
      from public.entity_processing_audit_v2 as fact
      where fact.shell_file_id = v_file.id
        and fact.review = 'unreviewed'
        and fact.decision in ('admitted', 'merged')
        and fact.confidence = 'high'
      order by fact.decision, fact.id
    )), p_decision_id);
    if v_accepted <> '{}' then
      perform public.tell_shell_file_event(v_file.id, null, null, null, null);
    end if;
  elsif v_known.shell_file_id <> v_file.id or v_known.decided_by is distinct from auth.uid() then
    raise exception 'This id is another decision''s.' using errcode = 'unique_violation';
  end if;
  return jsonb_build_object(
    'decision_id', p_decision_id,
    'accepted', (
      select coalesce(jsonb_agg(decided.fact_ids[1] order by decided.fact_ids[1]), '[]')
      from public.fact_review_decisions as decided
      where decided.decision_id = p_decision_id
    ),
    'skipped', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', asked.id,
        'reason', case
          when fact.id is null then 'not_in_document'
          when fact.decision in ('found', 'held') then 'not_checked_yet'
          else 'already_decided'
        end
      ) order by asked.id), '[]')
      from (select distinct unnest(p_fact_ids) as id) as asked
      left join public.entity_processing_audit_v2 as fact on fact.id = asked.id and fact.shell_file_id = v_file.id
      where not exists (
        select from public.fact_review_decisions as decided
        where decided.decision_id = p_decision_id and asked.id = any (decided.fact_ids)
      )
    )
  );
end
$$;
comment on function public.accept_facts(uuid, uuid[], uuid) is
  'Accepts many facts of a file at once: these, or all of the record that nobody has looked at and that are sure. What waits for nothing is skipped and said. The same decision id again has no further effect.';

revoke all on function
  public.accept_mentions(uuid, uuid[], uuid),
  public.accept_facts(uuid, uuid[], uuid)
from public, anon, authenticated, service_role;

grant execute on function public.accept_facts(uuid, uuid[], uuid) to authenticated;
