-- Idempotency: a request that is sent again, for whatever reason, runs once, and is answered as it was the first time.
--
--   (none) ──begin──> in_progress ──register_shell_file──> completed ──expires──> (free again)
--                          │ abandoned, or its lock ran out: the next attempt may begin

create or replace function public.idempotency_kept_for() returns interval
language plpgsql stable set search_path = '' as $$
begin
  return make_interval(hours => greatest(public.configured_number('idempotency.keep_hours', 48), 24)::int);
end
$$;
comment on function public.idempotency_kept_for() is 'How long the answer under a key is kept: configuration, never under 24 hours.';

create or replace function public.take_idempotency_key(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid,
  p_lock_seconds int
) returns jsonb language plpgsql volatile set search_path = '' as $$
#variable_conflict use_column
declare
  v_account_id uuid := auth.uid();
  v_known public.idempotency_keys;
begin
  loop
    -- One statement decides who runs: a new key, an expired one, one whose attempt died, or this very attempt again.
    insert into public.idempotency_keys as known
      (account_id, profile_id, idempotency_key, attempt_token, locked_until, expires_at)
    values (
      v_account_id,
      p_profile_id,
      p_idempotency_key,
      p_attempt_token,
      now() + make_interval(secs => p_lock_seconds),
      now() + public.idempotency_kept_for()
    )
    on conflict (account_id, profile_id, idempotency_key) do update
    set status = 'in_progress',
        attempt_token = excluded.attempt_token,
        locked_until = excluded.locked_until,
        expires_at = excluded.expires_at,
        request_hash = null,
        response_status = null,
        response_body = null,
        shell_file_id = null
    where known.expires_at <= now()
      or (known.status = 'in_progress'
        and (known.locked_until <= now() or known.attempt_token = excluded.attempt_token));
    if found then
      return jsonb_build_object('state', 'started');
    end if;

    select * into v_known
    from public.idempotency_keys as known
    where known.account_id = v_account_id
      and known.profile_id = p_profile_id
      and known.idempotency_key = p_idempotency_key;
    -- Given up between the two statements: decide again.
    continue when not found;
    return jsonb_build_object(
      'state', v_known.status,
      'request_hash', v_known.request_hash,
      'response_status', v_known.response_status,
      'response_body', v_known.response_body,
      'shell_file_id', v_known.shell_file_id
    );
  end loop;
end
$$;
comment on function public.take_idempotency_key(uuid, text, uuid, int) is
  'Takes a key of this account and profile for one attempt: started, in_progress (another attempt lives) or completed. Whoever calls has asked for access.';

-- Definer: the table is closed to clients, whose only scope is their own account and profiles they may write.
create or replace function public.begin_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid,
  p_lock_seconds int default 300
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.require_profile_access(p_profile_id, 'read_write', 'document');
  return public.take_idempotency_key(p_profile_id, p_idempotency_key, p_attempt_token, p_lock_seconds);
end
$$;
comment on function public.begin_idempotent_request(uuid, text, uuid, int) is
  'Takes a key, or holds it for longer, for who may add documents to the profile: answers as take_idempotency_key does.';

-- Definer: the table is closed to clients; the attempt token names the caller's own row.
create or replace function public.abandon_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid
) returns void language sql volatile security definer set search_path = '' as $$
  delete from public.idempotency_keys as known
  where known.account_id = auth.uid()
    and known.profile_id = p_profile_id
    and known.idempotency_key = p_idempotency_key
    and known.attempt_token = p_attempt_token
    and known.status = 'in_progress'
$$;
comment on function public.abandon_idempotent_request(uuid, text, uuid) is
  'An attempt that failed gives its key back, so that the client may try again at once.';

create or replace function public.hold_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid
) returns void language plpgsql volatile set search_path = '' as $$
begin
  perform from public.idempotency_keys as known
  where known.account_id = auth.uid()
    and known.profile_id = p_profile_id
    and known.idempotency_key = p_idempotency_key
    and known.attempt_token = p_attempt_token
    and known.status = 'in_progress'
  for update;
  if not found then
    raise exception 'Another attempt has taken this request over.' using errcode = 'EX409';
  end if;
end
$$;
comment on function public.hold_idempotent_request(uuid, text, uuid) is
  'Makes sure that the key is still this attempt''s, until the end of the transaction; else raises EX409.';

revoke all on function
  public.idempotency_kept_for(),
  public.take_idempotency_key(uuid, text, uuid, int),
  public.begin_idempotent_request(uuid, text, uuid, int),
  public.abandon_idempotent_request(uuid, text, uuid),
  public.hold_idempotent_request(uuid, text, uuid)
from public, anon, authenticated, service_role;

grant execute on function public.begin_idempotent_request(uuid, text, uuid, int) to authenticated;
grant execute on function public.abandon_idempotent_request(uuid, text, uuid) to authenticated;
