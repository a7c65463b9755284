-- What was read in a file, one row for each fact, as far as two runs can differ in it. What people entered is not
-- among it, nor what they corrected: no run finds or changes that.

create or replace view public.fact_readings
  with (security_invoker = true, security_barrier = true) as
select
  fact.id,
  fact.shell_file_id,
  fact.fact_type as type,
  fact.fact_text as text,
  fact.fact_status as status,
  fact.value,
  fact.unit,
  fact.reference_range,
  fact.found_date ->> 'iso' as date,
  fact.detail,
  code.code_system || ' ' || code.code as code,
  fact.decision in ('admitted', 'merged') as in_record,
  place.page_number as page,
  place.x0,
  place.y0,
  place.x1,
  place.y1
from public.entity_processing_audit_v2 as fact
join public.fact_sources as place on place.fact_id = fact.id and place.ordinal = 0
left join public.medical_code_assignments as code on code.fact_id = fact.id and code.is_selected
where fact.found_by_provider <> 'person';
comment on view public.fact_readings is
  'Facts as a run found, coded and admitted them, with the place of their name. The policies of the reader apply.';

revoke all on public.fact_readings from public, anon, authenticated, service_role;
grant select on public.fact_readings to authenticated, service_role;
