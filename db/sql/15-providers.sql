-- Clinicians: who they are, and what a patient lets them see.

-- Definer: the policy of patient_provider_access asks, and clients may not read account ids of the registry.
create or replace function public.own_provider_id() returns uuid
language sql stable security definer set search_path = '' as $$
  select provider.id from public.provider_registry as provider where provider.account_id = auth.uid()
$$;
comment on function public.own_provider_id() is 'The caller as a clinician; null for everybody else.';

revoke all on function public.own_provider_id() from public, anon, authenticated, service_role;

grant execute on function public.own_provider_id() to authenticated;
