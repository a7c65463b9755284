-- Usage over the months: what an account used of its plan, and for whom.

-- Definer: the account is the caller's own, never an argument; counters are read past policies for services alone.
create or replace function public.get_usage_history(p_profile_id uuid default null, p_cycles int default 12)
returns table (
  cycle_start date,
  profile_id uuid,
  shell_files bigint,
  pages bigint,
  ai_tokens bigint,
  ai_seconds bigint,
  storage_bytes_added bigint,
  storage_bytes bigint
)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_account_id uuid := auth.uid();
begin
  if p_profile_id is not null then
    v_account_id := public.account_of_profile(p_profile_id);
  end if;
  -- Whoever pays, and nobody else: a delegate sees the limits that apply, not what the family used them for.
  if v_account_id is null or (v_account_id is distinct from auth.uid() and not public.acting_as_service()) then
    raise exception 'This account''s usage is not open to this account.' using errcode = 'insufficient_privilege';
  end if;

  return query
  select counted.*
  from (
    select
      counter.cycle_start,
      counter.profile_id,
      counter.shell_files::bigint,
      counter.pages::bigint,
      counter.ai_tokens,
      counter.ai_seconds,
      counter.storage_bytes,
      sum(counter.storage_bytes) over (partition by counter.profile_id order by counter.cycle_start)::bigint
    from public.user_usage_tracking as counter
    where counter.account_id = v_account_id and (p_profile_id is null or counter.profile_id = p_profile_id)
  ) as counted (
    cycle_start, profile_id, shell_files, pages, ai_tokens, ai_seconds, storage_bytes_added, storage_bytes
  )
  where counted.cycle_start in (
    select recent.cycle_start
    from public.user_usage_tracking as recent
    where recent.account_id = v_account_id and (p_profile_id is null or recent.profile_id = p_profile_id)
    group by recent.cycle_start
    order by recent.cycle_start desc
    limit least(greatest(p_cycles, 1), 120)
  )
  order by counted.cycle_start desc, counted.profile_id;
end
$$;
comment on function public.get_usage_history(uuid, int) is
  'What the calling account used in its newest months, profile by profile (of one, or of all): storage as it changed in the month, and as it stood at its end. For whoever pays alone.';

revoke all on function public.get_usage_history(uuid, int) from public, anon, authenticated, service_role;

grant execute on function public.get_usage_history(uuid, int) to authenticated, service_role;
