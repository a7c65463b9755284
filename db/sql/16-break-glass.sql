-- Break-glass: reading without having been granted it, by operators and verified clinicians. With a reason, for a short
-- time, reading alone, and everybody who decides for the person is told. What it opens stands in 11-access.sql.

-- Definer: clients have no write on the table; whether the caller may is asked first.
create or replace function public.break_glass(
  p_patient_id uuid,
  p_reason_code text,
  p_reason text,
  p_minutes int default 60
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_glass_id uuid;
begin
  if not public.may_break_glass(auth.uid())
    or not exists (select from public.user_profiles as profile
                   where profile.id = p_patient_id and profile.erased_at is null) then
    raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
  end if;
  if p_reason_code is null
    or p_reason_code not in ('emergency_care', 'safety_incident', 'legal_obligation', 'support_request')
    or coalesce(length(btrim(p_reason)), 0) not between 10 and 500 then
    raise exception 'The reason is one of the list, told in 10 to 500 characters.' using errcode = 'invalid_parameter_value';
  end if;
  if (p_minutes between 1 and least(public.configured_number('access.break_glass_max_minutes', 240), 480)) is not true then
    raise exception 'This is not a time for which the glass can be broken.' using errcode = 'invalid_parameter_value';
  end if;

  -- One account breaks one glass after the other, so that they are counted.
  perform pg_advisory_xact_lock(hashtextextended('break glass ' || auth.uid(), 0));
  select live.id into v_glass_id
  from public.break_glass_accesses as live
  where live.account_id = auth.uid()
    and live.patient_id = p_patient_id
    and live.ended_at is null
    and live.ends_at > now();
  if found then
    return v_glass_id;
  end if;
  if (
    select count(*)
    from public.break_glass_accesses as broken
    where broken.account_id = auth.uid() and broken.starts_at > now() - interval '1 day'
  ) >= public.configured_number('access.break_glass_daily_max', 20) then
    raise sqlstate 'PT429' using message = 'The glass was broken too often today.', hint = 'too_many_requests';
  end if;
  insert into public.break_glass_accesses (account_id, patient_id, reason_code, reason, ends_at)
  values (auth.uid(), p_patient_id, p_reason_code, btrim(p_reason), now() + make_interval(mins => p_minutes))
  returning id into v_glass_id;
  perform public.notify_deciders('break_glass_used', p_patient_id, v_glass_id);
  return v_glass_id;
end
$$;
comment on function public.break_glass(uuid, text, text, int) is
  'Opens a record for reading, for some minutes, and tells whoever decides for the person. While it is open a second call returns it and prolongs nothing.';

-- Definer: clients have no write on the table. Only the caller's own row is touched.
create or replace function public.end_break_glass(p_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.break_glass_accesses as live
  set ended_at = now()
  where live.id = p_id
    and live.account_id = auth.uid()
    and live.ended_at is null
    and live.ends_at > now();
  if not found then
    raise exception 'There is no such access.' using errcode = 'no_data_found';
  end if;
end
$$;
comment on function public.end_break_glass(uuid) is 'Whoever broke the glass is done before its time is over.';

create or replace function public.mend_broken_glass() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  update public.break_glass_accesses as live
  set ended_at = now()
  where live.account_id = old.account_id
    and live.ended_at is null
    and live.ends_at > now()
    and not public.may_break_glass(old.account_id);
  return null;
end
$$;
comment on function public.mend_broken_glass() is
  'Who is neither operator nor verified clinician any more has ended what was open, and does not find it open again with the role.';
drop trigger if exists mend_glass on public.account_roles;
create trigger mend_glass after update or delete on public.account_roles
  for each row execute function public.mend_broken_glass();
drop trigger if exists mend_glass on public.provider_registry;
create trigger mend_glass after update or delete on public.provider_registry
  for each row when (old.verification_status = 'verified')
  execute function public.mend_broken_glass();

revoke all on function
  public.break_glass(uuid, text, text, int),
  public.end_break_glass(uuid),
  public.mend_broken_glass()
from public, anon, authenticated, service_role;

grant execute on function public.break_glass(uuid, text, text, int) to authenticated;
grant execute on function public.end_break_glass(uuid) to authenticated;
