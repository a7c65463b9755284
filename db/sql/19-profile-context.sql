-- Whose record an account has open: what its apps show, on all of its devices. It opens nothing by itself.

-- Definer: clients have no write on the table. Access is asked for first; only the caller's own row is touched.
create or replace function public.switch_profile(p_profile_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.require_profile_access(p_profile_id, 'read_only', 'profile');
  if auth.uid() is null then
    raise exception 'This is for accounts.' using errcode = 'insufficient_privilege';
  end if;
  insert into public.user_profile_context as context (account_id, current_profile_id, recent_profile_ids)
  values (auth.uid(), p_profile_id, array[p_profile_id])
  on conflict (account_id) do update
  set current_profile_id = excluded.current_profile_id,
      recent_profile_ids = (array_prepend(p_profile_id, array_remove(context.recent_profile_ids, p_profile_id)))[1:10],
      last_switched_at = now();
end
$$;
comment on function public.switch_profile(uuid) is
  'The calling account looks at this person from now on; the ten last are remembered, newest first.';

revoke all on function public.switch_profile(uuid) from public, anon, authenticated, service_role;
grant execute on function public.switch_profile(uuid) to authenticated;
