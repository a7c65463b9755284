-- What holders of embedded accounts are told by mail, and what they prove with it.
--
-- Asking leaves a row and a job that names it, whatever the address: nothing that is done or answered then depends on
-- whether there is an account. The worker that sends makes the secret, sends it and keeps its hash: it is in no row, no
-- job and no log, and a crash at any instruction costs a second mail at most.

insert into public.system_configuration (config_key, config_value, description)
values
  ('accounts.messages_per_hour', '3', 'How many messages of one kind may be asked for to one address within an hour.'),
  ('accounts.messages_to_address_per_hour', '12',
    'How many of those who want to move to one address are sent a secret within an hour; what is more is not sent, without a word.')
on conflict (config_key) do nothing;

create or replace function public.messages_asked_for(p_kind text, p_email text, p_account_id uuid) returns bigint
language sql stable set search_path = '' as $$
  select count(*)
  from login.messages as earlier
  where earlier.kind = p_kind
    and earlier.requested_at > now() - interval '1 hour'
    and case p_kind
      -- By its own account alone: strangers may ask for an address that somebody else wants to move to. Secrets from
      -- before the last change of its logins are over, so they do not count.
      when 'email_change' then earlier.user_id = p_account_id and earlier.requested_at > coalesce(
        (select login_user.logins_ended_at from login.users as login_user where login_user.id = p_account_id),
        '-infinity'
      )
      else earlier.email = p_email
    end
$$;
comment on function public.messages_asked_for(text, text, uuid) is
  'How many messages of this kind were asked for within an hour: by the account, or, where nobody is signed in, to the address.';

-- Definer: reaches the tables of the embedded login, which no API role may.
create or replace function public.request_account_message(p_kind text, p_email text, p_account_id uuid default null)
returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  -- Of resets twice as many may be asked for as are sent: so that the answer does not tell whether there is an account
  -- that has been reset meanwhile.
  v_most int := public.configured_number('accounts.messages_per_hour', 3)
    * case p_kind when 'password_reset' then 2 else 1 end;
  v_message_id uuid;
begin
  -- What tells of something that has happened is never too much.
  if p_kind <> 'email_changed' then
    perform pg_advisory_xact_lock(hashtextextended('account message ' || coalesce(p_account_id::text, p_email), 0));
    if public.messages_asked_for(p_kind, p_email, p_account_id) >= v_most then
      raise sqlstate 'PT429' using
        message = 'Too many messages were asked for. Please look at those that were sent.',
        hint = 'too_many_requests';
    end if;
  end if;

  insert into login.messages (kind, email, user_id)
  values (p_kind, p_email, p_account_id)
  returning id into v_message_id;
  perform public.enqueue_job_v3(
    job_type => 'deliver_message',
    job_name => 'deliver_message',
    job_payload => jsonb_build_object('message_id', v_message_id),
    job_category => 'high_priority',
    priority => 8
  );
  return v_message_id;
end
$$;
comment on function public.request_account_message(text, text, uuid) is
  'Has a message sent to an address, if there is an account that it is for; the same work either way. PT429 past accounts.messages_per_hour.';

create or replace function public.is_one_message_too_many(p_message login.messages, p_account login.users) returns boolean
language sql stable set search_path = '' as $$
  select p_message.kind <> 'email_changed' and (
    select count(*)
    from login.messages as earlier
    where earlier.email = p_message.email
      -- Each kind by itself: whoever asks for a change of address takes no reset from its holder.
      and earlier.kind = p_message.kind
      and earlier.requested_at > p_message.requested_at - interval '1 hour'
      and (earlier.requested_at, earlier.id) < (p_message.requested_at, p_message.id)
      and (p_message.kind <> 'password_reset' or earlier.requested_at > coalesce(p_account.logins_ended_at, '-infinity'))
  ) >= case p_message.kind
    when 'password_reset' then public.configured_number('accounts.messages_per_hour', 3)
    else public.configured_number('accounts.messages_to_address_per_hour', 12)
  end
$$;
comment on function public.is_one_message_too_many(login.messages, login.users) is
  'Whether its address was sent enough within the hour before it. Nobody is told: they would learn who else asks.';

create or replace function public.account_of_message(p_message login.messages) returns login.users
language sql stable set search_path = '' as $$
  select login_user
  from login.users as login_user
  where case p_message.kind
    when 'password_reset' then login_user.email = p_message.email
    -- An address that has an account is not told that somebody wants it, nor who wants it that it has one.
    when 'email_change' then login_user.id = p_message.user_id and not exists (
      select from login.users as holder where holder.email = p_message.email
    )
    else login_user.id = p_message.user_id
  end
$$;
comment on function public.account_of_message(login.messages) is 'Whose account a message is about at this moment; null when it is not to be sent.';

-- Definer: as above.
create or replace function public.begin_account_message(p_message_id uuid)
returns table (kind text, email text, display_name text)
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_message login.messages;
  v_user login.users;
begin
  select * into v_message
  from login.messages as message
  where message.id = p_message_id and message.delivered_at is null
  for update;
  if not found then
    return;
  end if;
  v_user := public.account_of_message(v_message);
  -- Until the proof is committed the address stays: who moves the account ends the proofs that went to the old one.
  perform from login.users as login_user
  where login_user.id = v_user.id and login_user.email = v_user.email
  for share;
  if not found or public.is_one_message_too_many(v_message, v_user) then
    perform public.finish_account_message(p_message_id);
    return;
  end if;
  -- Anybody may have signed up with somebody else's address, or asks to move to one, and a name is free text: no mail
  -- carries it to where the holder of the account has not been reached.
  return query select
    v_message.kind,
    v_message.email,
    case when v_message.kind = 'password_reset' and v_user.email_verified then v_user.name end;
end
$$;
comment on function public.begin_account_message(uuid) is
  'What is to be told, and to whom; no row where there is nobody to tell, or it has been told.';

-- Definer: as above.
create or replace function public.keep_message_proof(p_message_id uuid, p_proof text, p_minutes int) returns timestamptz
language sql volatile security definer set search_path = '' as $$
  insert into login.verifications (identifier, value, login_generation, expires_at)
  select p_proof, account.id::text, account.login_generation, now() + make_interval(mins => p_minutes)
  from login.messages as message
  cross join lateral public.account_of_message(message) as account
  where message.id = p_message_id
  returning verifications.expires_at
$$;
comment on function public.keep_message_proof(uuid, text, int) is
  'Keeps the hash of the secret that a message tells, in the transaction that began it; returns until when it is good.';

-- Definer: as above.
create or replace function public.finish_account_message(p_message_id uuid) returns void
language sql volatile security definer set search_path = '' as $$
  update login.messages as message
  set delivered_at = now()
  where message.id = p_message_id
$$;
comment on function public.finish_account_message(uuid) is 'It has been handed over; it is not told again.';

-- Definer: as above. The secret went to the new address and is shown by the session that asked: neither somebody who got
-- a mail by mistake nor somebody who found a session open can move the account.
create or replace function public.change_account_email(p_account_id uuid, p_email text, p_proof text, p_session_id uuid)
returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_old_email text;
begin
  select login_user.email into v_old_email
  from login.users as login_user
  where login_user.id = p_account_id
  for update;
  delete from login.verifications as proof
  where proof.identifier = p_proof
    and proof.value = p_account_id::text
    and proof.expires_at > now();
  if not found then
    return false;
  end if;

  -- A sign-in with the old address that is under way ends, too.
  update login.users as login_user
  set email = p_email,
      email_verified = true,
      login_generation = login_user.login_generation + 1,
      logins_ended_at = now(),
      updated_at = now()
  where login_user.id = p_account_id;
  delete from login.sessions as session where session.user_id = p_account_id and session.id <> p_session_id;
  -- Secrets that went to the old address, too.
  delete from login.verifications as proof where proof.value = p_account_id::text and proof.identifier <> 'used code';
  perform public.request_account_message('email_changed', v_old_email, p_account_id);
  return true;
end
$$;
comment on function public.change_account_email(uuid, text, text, uuid) is
  'The account moves to an address that it has proven; other sessions end, and the old address is told. False when the proof is none.';

-- Definer: writes auth.users, which no API role may.
create or replace function public.mirror_login_email() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update auth.users as account
  set email = new.email
  where account.id = new.id;
  perform public.audit_login(new.id, 'email');
  return null;
end
$$;
comment on function public.mirror_login_email() is 'An account has one address: that of auth.users is that of its embedded login.';
drop trigger if exists mirror_email on login.users;
create trigger mirror_email after update of email on login.users
  for each row when (old.email is distinct from new.email)
  execute function public.mirror_login_email();

revoke all on function
  public.messages_asked_for(text, text, uuid),
  public.request_account_message(text, text, uuid),
  public.is_one_message_too_many(login.messages, login.users),
  public.account_of_message(login.messages),
  public.begin_account_message(uuid),
  public.keep_message_proof(uuid, text, int),
  public.finish_account_message(uuid),
  public.change_account_email(uuid, text, text, uuid),
  public.mirror_login_email()
from public, anon, authenticated, service_role;

grant execute on function public.request_account_message(text, text, uuid) to service_role;
grant execute on function public.begin_account_message(uuid) to service_role;
grant execute on function public.keep_message_proof(uuid, text, int) to service_role;
grant execute on function public.finish_account_message(uuid) to service_role;
grant execute on function public.change_account_email(uuid, text, text, uuid) to service_role;
