-- Consents: what may be done with a person's data, purpose by purpose. `consent_holds` (11-access.sql) answers; here it
-- is decided.

insert into public.consent_purposes as known (purpose, holds_undecided, description)
values
  ('data_processing', true, 'Reading uploaded documents on our own machines: finding, coding and telling the facts in them.'),
  ('outside_ocr', true, 'Sending pictures of pages to the outside reader that the operator has configured.'),
  ('outside_ai', true, 'Sending text of documents to the outside model that the operator has configured.'),
  ('provider_access', false, 'Letting clinicians read the record, each after approval of their own.')
on conflict (purpose) do update set description = excluded.description;

drop trigger if exists append_only on public.patient_consents;
create trigger append_only before update or delete on public.patient_consents
  for each row execute function public.refuse_change();
drop trigger if exists no_truncate on public.patient_consents;
create trigger no_truncate before truncate on public.patient_consents
  for each statement execute function public.refuse_change();

create or replace function public.check_consent(
  p_purpose text,
  p_decision text,
  p_expires_at timestamptz,
  p_policy_version text
) returns void language plpgsql stable set search_path = '' as $$
declare
  v_defect text;
begin
  select case
    when not exists (select from public.consent_purposes as known where known.purpose = p_purpose) then
      'There is no purpose of this name.'
    when p_decision is null or p_decision not in ('granted', 'denied', 'withdrawn') then
      'A decision is granted, denied or withdrawn.'
    when p_expires_at is not null and p_decision <> 'granted' then 'Only what is granted can expire.'
    when p_expires_at <= clock_timestamp() then 'A consent expires in the future.'
    -- It goes into the audit, where no text of anybody's may.
    when p_policy_version !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$' then
      'A policy version has up to 50 letters, digits, dots, underscores and hyphens.'
  end into v_defect;
  if v_defect is not null then
    raise exception '%', v_defect using errcode = 'invalid_parameter_value';
  end if;
end
$$;
comment on function public.check_consent(text, text, timestamptz, text) is
  'Raises invalid_parameter_value for a decision that can never be right.';

-- Definer: clients have no write on the table. Who decides is auth.uid(), and for nobody else than whom they decide for.
create or replace function public.record_consent(
  p_profile_id uuid,
  p_purpose text,
  p_decision text,
  p_expires_at timestamptz default null,
  p_policy_version text default null
) returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare
  v_capacity text := public.require_decision_capacity(p_profile_id);
  v_standing public.patient_consents;
  v_consent_id bigint;
begin
  perform public.check_consent(p_purpose, p_decision, p_expires_at, p_policy_version);
  -- Decisions about one person follow each other, and each waits for what the one before it allowed to be written.
  perform public.lock_processing_permission(p_profile_id);
  v_capacity := public.require_decision_capacity(p_profile_id);
  select * into v_standing
  from public.patient_consents as consent
  where consent.patient_id = p_profile_id
    and consent.purpose = p_purpose
  order by consent.id desc
  limit 1;
  -- Saying no twice is saying it once.
  if p_decision <> 'granted' and v_standing.decision <> 'granted' then
    return v_standing.id;
  end if;

  insert into public.patient_consents
    (patient_id, purpose, decision, decided_by, capacity, policy_version, expires_at, decided_at)
  values (
    p_profile_id,
    p_purpose,
    -- What was never given cannot be taken back.
    case
      when p_decision = 'withdrawn' and v_standing.id is null and not public.consent_holds(p_profile_id, p_purpose)
        then 'denied'
      else p_decision
    end,
    auth.uid(),
    v_capacity,
    p_policy_version,
    p_expires_at,
    clock_timestamp()
  )
  returning id into v_consent_id;

  -- What was answered while it held is of no use any more.
  if p_decision <> 'granted' and p_purpose in ('outside_ai', 'data_processing') then
    delete from public.model_answers as answer where answer.patient_id = p_profile_id;
  end if;
  if p_purpose = 'data_processing' and p_decision = 'granted' then
    perform public.resume_processing(p_profile_id);
  elsif p_purpose = 'data_processing' then
    perform public.stop_processing(p_profile_id);
  end if;
  return v_consent_id;
end
$$;
comment on function public.record_consent(uuid, text, text, timestamptz, text) is
  'The person, or a guardian, decides on a purpose. Takes effect in this transaction: processing stops or goes on. Returns the decision that stands.';

-- Definer: purposes nobody has decided on have no row, and the rule that then holds is not the client's to compute.
create or replace function public.consents_of(p_profile_id uuid)
returns table (
  purpose text,
  holds boolean,
  decision text,
  decided_at timestamptz,
  decided_by uuid,
  capacity text,
  policy_version text,
  expires_at timestamptz
) language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform public.require_profile_access(p_profile_id, 'full_access', 'access');
  return query
  select
    rule.purpose,
    public.consent_holds(p_profile_id, rule.purpose),
    standing.decision,
    standing.decided_at,
    standing.decided_by,
    standing.capacity,
    standing.policy_version,
    standing.expires_at
  from public.consent_purposes as rule
  left join lateral (
    select consent.*
    from public.patient_consents as consent
    where consent.patient_id = p_profile_id
      and consent.purpose = rule.purpose
    order by consent.id desc
    limit 1
  ) as standing on true
  order by rule.purpose;
end
$$;
comment on function public.consents_of(uuid) is
  'Every purpose with the decision that stands (null: none yet) and whether it may be done just now. For those who manage access.';

revoke all on function
  public.check_consent(text, text, timestamptz, text),
  public.record_consent(uuid, text, text, timestamptz, text),
  public.consents_of(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.record_consent(uuid, text, text, timestamptz, text) to authenticated;
grant execute on function public.consents_of(uuid) to authenticated;
