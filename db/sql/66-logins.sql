-- How people come in with embedded accounts, and what ends when that changes.
--
-- Each account has a generation of logins. Whatever changes how one signs in begins the next one and ends all that was
-- open. A session, and a sign-in that is half done, names the generation that was when its secret began to be looked at:
-- one that has been overtaken meanwhile is not kept. So nobody stays who proved something that was over a moment later,
-- and of two who change the same thing at once one succeeds.

create or replace function public.end_logins_of(p_user_id uuid) returns void
language sql volatile set search_path = '' as $$
  -- First: a session that is being made holds the row until it is seen below.
  update login.users as login_user
  set login_generation = login_user.login_generation + 1,
      logins_ended_at = now()
  where login_user.id = p_user_id;
  delete from login.sessions as session where session.user_id = p_user_id;
  -- That a code was used is remembered for as long as it would be good (db/queries/two-factor.ts).
  delete from login.verifications as proof where proof.value = p_user_id::text and proof.identifier <> 'used code';
$$;
comment on function public.end_logins_of(uuid) is
  'Ends every session of an account, every proof that is under way (resets, and sign-ins that are half done), and whatever is about to become one.';

create or replace function public.admit_login() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  perform from login.users as login_user
  where login_user.id = (to_jsonb(new) ->> tg_argv[0])::uuid
    and login_user.login_generation = (to_jsonb(new) ->> 'login_generation')::int
  for share;
  -- better-auth takes a session that was not kept for a sign-in that failed.
  return case when found then new end;
end
$$;
comment on function public.admit_login() is 'What was begun before the logins of its account ended is not kept.';
drop trigger if exists admit on login.sessions;
create trigger admit before insert on login.sessions
  for each row execute function public.admit_login('user_id');
drop trigger if exists admit on login.verifications;
create trigger admit before insert on login.verifications
  for each row when (new.identifier <> 'used code' and new.value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
  execute function public.admit_login('value');

create or replace function public.audit_login(p_user_id uuid, p_changed text, p_new_values jsonb default '{}')
returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.log_audit_event(
    p_table_name => 'login.users',
    p_record_id => p_user_id::text,
    p_operation => 'UPDATE',
    p_new_values => p_new_values || jsonb_build_object('changed', jsonb_build_array(p_changed)),
    -- Set by whoever changes it without being signed in.
    p_reason => nullif(current_setting('exora.login_reason', true), ''),
    p_compliance_category => 'access_control'
  );
end
$$;
comment on function public.audit_login(uuid, text, jsonb) is
  'One audit row for what changed of how an account signs in: that it did, never from what to what.';

-- Definer: reaches the tables of the embedded login for whoever may change this one.
-- In the statement that changes what one signs in with, so that no crash leaves a session of whoever knew the old.
create or replace function public.end_logins_of_old_password() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.end_logins_of(new.user_id);
  perform public.audit_login(new.user_id, 'password');
  return null;
end
$$;
comment on function public.end_logins_of_old_password() is 'A new password ends what the old one had opened.';
drop trigger if exists end_logins on login.accounts;
create trigger end_logins after update of password on login.accounts
  for each row when (old.password is distinct from new.password)
  execute function public.end_logins_of_old_password();

-- Definer: as above.
create or replace function public.end_logins_of_other_factor() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.end_logins_of(new.id);
  perform public.audit_login(new.id, 'two_factor', jsonb_build_object('two_factor', new.two_factor_enabled));
  -- Off is off: a secret that stayed would stand in the way of the next.
  if not new.two_factor_enabled then
    delete from login.two_factors as factor where factor.user_id = new.id;
  end if;
  return null;
end
$$;
comment on function public.end_logins_of_other_factor() is
  'What was opened without a second factor ends when it is turned on; turned off, its secret is gone with what somebody else had open.';
drop trigger if exists end_logins on login.users;
create trigger end_logins after update of two_factor_enabled on login.users
  for each row when (old.two_factor_enabled is distinct from new.two_factor_enabled)
  execute function public.end_logins_of_other_factor();

-- Two requests at once, one that confirms a code and one that begins anew: the account would ask for a code of a secret
-- that nobody has confirmed.
create or replace function public.keep_confirmed_factor() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  raise exception 'The second factor is on: it is turned off first.' using errcode = 'object_not_in_prerequisite_state';
end
$$;
comment on function public.keep_confirmed_factor() is 'A second factor that is on is not replaced.';
drop trigger if exists keep_confirmed on login.two_factors;
create trigger keep_confirmed before update on login.two_factors
  for each row when (old.verified and (not new.verified or new.secret <> old.secret))
  execute function public.keep_confirmed_factor();

-- Definer: as above.
create or replace function public.audit_backup_codes() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.audit_login(new.user_id, 'backup_codes');
  return null;
end
$$;
comment on function public.audit_backup_codes() is 'One of an account''s backup codes was used, or there are new ones.';
drop trigger if exists audit_backup_codes on login.two_factors;
create trigger audit_backup_codes after update of backup_codes on login.two_factors
  for each row when (old.verified and old.backup_codes <> new.backup_codes)
  execute function public.audit_backup_codes();

-- Definer: as above.
create or replace function public.change_login_password(p_user_id uuid, p_generation int, p_password text) returns int
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from login.users as login_user
  where login_user.id = p_user_id and login_user.login_generation = p_generation
  for no key update;
  if not found then
    return null;
  end if;
  update login.accounts as way
  set password = p_password,
      updated_at = now()
  where way.user_id = p_user_id and way.provider_id = 'credential';
  return (select login_user.login_generation from login.users as login_user where login_user.id = p_user_id);
end
$$;
comment on function public.change_login_password(uuid, int, text) is
  'A new password for whoever proved the old one in this generation; returns the next generation, or null when it was over.';

-- Definer: as above. Nobody is signed in: who may do this is whoever has the secret.
create or replace function public.reset_login_password(p_proof text, p_password text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_user_id uuid;
begin
  select proof.value::uuid into v_user_id
  from login.verifications as proof
  where proof.identifier = p_proof and proof.expires_at > now();
  -- The account, and then the secret again: another reset may have ended it.
  perform from login.users as login_user
  where login_user.id = v_user_id
  for no key update;
  delete from login.verifications as proof
  where proof.identifier = p_proof and proof.expires_at > now();
  if not found then
    return false;
  end if;
  -- It came by mail to the address that the account has: mail reaches it.
  update login.users as login_user
  set email_verified = true
  where login_user.id = v_user_id and not login_user.email_verified;
  perform set_config('exora.login_reason', 'password_reset', true);
  update login.accounts as way
  set password = p_password,
      updated_at = now()
  where way.user_id = v_user_id and way.provider_id = 'credential';
  return found;
end
$$;
comment on function public.reset_login_password(text, text) is
  'A new password for the account whose secret this is; false when it is none. Of all secrets of an account one serves.';

-- Definer: as above.
create or replace function public.confirm_second_factor(p_user_id uuid, p_generation int, p_secret text) returns int
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from login.users as login_user
  where login_user.id = p_user_id and login_user.login_generation = p_generation
  for no key update;
  if not found then
    return null;
  end if;
  -- Whoever began anew meanwhile has another secret, of which no code has come.
  update login.two_factors as factor
  set verified = true
  where factor.user_id = p_user_id and factor.secret = p_secret and not factor.verified;
  if not found then
    return null;
  end if;
  update login.users as login_user
  set two_factor_enabled = true,
      updated_at = now()
  where login_user.id = p_user_id;
  return (select login_user.login_generation from login.users as login_user where login_user.id = p_user_id);
end
$$;
comment on function public.confirm_second_factor(uuid, int, text) is
  'Turns on the second factor whose code has come; returns the next generation, or null when something else came first.';

-- Definer: as above.
create or replace function public.remove_second_factor(p_user_id uuid, p_generation int) returns int
language plpgsql volatile security definer set search_path = '' as $$
begin
  update login.users as login_user
  set two_factor_enabled = false,
      updated_at = now()
  where login_user.id = p_user_id and login_user.login_generation = p_generation;
  if not found then
    return null;
  end if;
  return (select login_user.login_generation from login.users as login_user where login_user.id = p_user_id);
end
$$;
comment on function public.remove_second_factor(uuid, int) is
  'Turns the second factor off for whoever proved the password in this generation; returns the one that is then, or null when it was over.';

revoke all on function
  public.end_logins_of(uuid),
  public.admit_login(),
  public.audit_login(uuid, text, jsonb),
  public.end_logins_of_old_password(),
  public.end_logins_of_other_factor(),
  public.keep_confirmed_factor(),
  public.audit_backup_codes(),
  public.change_login_password(uuid, int, text),
  public.reset_login_password(text, text),
  public.confirm_second_factor(uuid, int, text),
  public.remove_second_factor(uuid, int)
from public, anon, authenticated, service_role;

grant execute on function public.change_login_password(uuid, int, text) to service_role;
grant execute on function public.reset_login_password(text, text) to service_role;
grant execute on function public.confirm_second_factor(uuid, int, text) to service_role;
grant execute on function public.remove_second_factor(uuid, int) to service_role;
