-- What every other file and the migrations stand on: the roles, the auth schema, and v7 ids.
-- On Supabase the roles and the auth schema are theirs and stay as they are; elsewhere compatible ones are made.

-- Roles belong to the whole cluster, so another database may be making them at this very moment.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin noinherit', v_role);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end loop;
end
$$;

-- The login of server and workers may become each of them, and so may whoever migrates: it owns the functions that
-- are security definer, and under forced row level security they see what service_role may see.
do $$
declare
  v_member text;
  v_role text;
  -- From 16 on membership and the right to SET ROLE are two things.
  v_right text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
  for v_member in
    select rolname from pg_catalog.pg_roles where rolname in ('exora_app', current_user) and not rolsuper
  loop
    foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
      if not pg_has_role(v_member, v_role, v_right) then
        begin
          execute format('grant %I to %I', v_role, v_member);
        exception when unique_violation then
          null;
        end;
      end if;
    end loop;
  end loop;
end
$$;

-- Extensions live in a schema of their own, where Supabase has them: what they bring is neither granted nor counted with ours.
do $$
declare
  v_schema text;
begin
  select space.nspname into v_schema
  from pg_catalog.pg_extension as extension
  join pg_catalog.pg_namespace as space on space.oid = extension.extnamespace
  where extension.extname = 'pg_trgm';

  if to_regnamespace('extensions') is null then
    create schema extensions;
    comment on schema extensions is 'Extensions of PostgreSQL.';
  end if;
  if v_schema is null then
    create extension pg_trgm schema extensions;
  elsif v_schema <> 'extensions' then
    raise exception 'The extension pg_trgm is in the schema %, and is needed in another.', v_schema
      using hint = 'As its owner: alter extension pg_trgm set schema extensions';
  end if;
  if not has_schema_privilege('authenticated', 'extensions', 'usage') then
    grant usage on schema extensions to authenticated, service_role;
  end if;
end
$$;

do $$
begin
  if to_regnamespace('auth') is null then
    create schema auth;
    comment on schema auth is 'Accounts and claims, in the shape that Supabase has them.';
    grant usage on schema auth to anon, authenticated, service_role;
  end if;

  if to_regclass('auth.users') is null then
    create table auth.users (
      id uuid constraint users_pkey primary key,
      email text,
      created_at timestamptz not null default now()
    );
    comment on table auth.users is 'Accounts: who may log in. Never data subjects; those are user_profiles.';
    alter table auth.users enable row level security;
    alter table auth.users force row level security;
    -- Nobody but its owner is granted anything on the table; the policy lets the owner through forced security.
    create policy users_service on auth.users to service_role using (true) with check (true);
  end if;
end
$$;

-- A function of these names that we do not own is Supabase's.
do $$
begin
  if not exists (select from pg_catalog.pg_proc
                 where oid = to_regprocedure('auth.jwt()') and proowner <> current_user::regrole) then
    create or replace function auth.jwt() returns jsonb language sql stable set search_path = '' as
      $f$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $f$;
    comment on function auth.jwt() is 'The claims of the caller''s verified token; null outside a request.';
    revoke execute on function auth.jwt() from public;
    grant execute on function auth.jwt() to anon, authenticated, service_role;
  end if;

  if not exists (select from pg_catalog.pg_proc
                 where oid = to_regprocedure('auth.uid()') and proowner <> current_user::regrole) then
    -- Bound when it is made, so that it needs no search path of its own and is inlined into every policy that asks.
    create or replace function auth.uid() returns uuid language sql stable
      return nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid;
    comment on function auth.uid() is 'The account that calls; null for anonymous callers and services.';
    revoke execute on function auth.uid() from public;
    grant execute on function auth.uid() to anon, authenticated, service_role;
  end if;
end
$$;

-- PostgreSQL makes these ids itself from 18 on; before that a random one gets the time as its first 48 bits.
do $$
begin
  if to_regprocedure('pg_catalog.uuidv7()') is not null then
    create or replace function public.uuid_v7() returns uuid language sql volatile parallel safe set search_path = ''
      return pg_catalog.uuidv7();
  else
    create or replace function public.uuid_v7() returns uuid language sql volatile parallel safe set search_path = '' as $f$
      select encode(
        set_bit(
          set_bit(
            overlay(
              uuid_send(gen_random_uuid())
              placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
              from 1 for 6
            ),
            52, 1
          ),
          53, 1
        ),
        'hex'
      )::uuid
    $f$;
  end if;
end
$$;
comment on function public.uuid_v7() is 'A new id; later ids sort after earlier ones, which keeps indexes dense.';
revoke execute on function public.uuid_v7() from public, anon, authenticated;
grant execute on function public.uuid_v7() to authenticated, service_role;
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'exora_app') then
    grant execute on function public.uuid_v7() to exora_app;
  end if;
end
$$;
