-- Protection: every table starts closed, and is opened by name. Runs before everything else that follows the migrations,
-- because seeds and definer functions already need the policies that let services and the owner through.

-- What is made later starts closed. Supabase opens new objects to its API roles; here they are granted one by one.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;
revoke create on schema public from public, anon, authenticated, service_role;
grant usage on schema public to authenticated, service_role;

-- The service is workers, and the owner as whom security definer functions run. Row level security is forced, so both
-- need to be let through by name, on every table there is. What services may do is said by the grants of 90-policies.sql.
create or replace function public.protect_table(p_table regclass) returns void
language plpgsql volatile set search_path = '' as $$
begin
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('drop policy if exists service on %s', p_table);
  execute format(
    'create policy service on %s for all to service_role, %I using (true) with check (true)', p_table, current_user
  );
  execute format('revoke all on %s from public, anon, authenticated, service_role', p_table);
end
$$;
comment on function public.protect_table(regclass) is
  'Row level security enabled and forced, open to the service and to definer functions, closed to everybody else.';

-- What an extension has left in public (PostGIS on Supabase) is its owner's to open and close.
create or replace function public.own_tables() returns setof regclass
language sql stable set search_path = '' as $$
  select class.oid::regclass
  from pg_catalog.pg_class as class
  where class.relnamespace = 'public'::regnamespace
    and class.relkind in ('r', 'p')
    and class.relowner = current_user::regrole
    and not exists (
      select from pg_catalog.pg_depend as part
      where part.classid = 'pg_class'::regclass and part.objid = class.oid and part.deptype = 'e'
    )
$$;
comment on function public.own_tables() is 'The tables of public that whoever migrates has made; every one of them is protected.';

do $$
declare
  v_table regclass;
begin
  for v_table in select own.name from public.own_tables() as own (name) loop
    perform public.protect_table(v_table);
  end loop;

  -- The embedded login belongs to the server's login role, which no request can take.
  for v_table in
    select class.oid::regclass
    from pg_catalog.pg_class as class
    where class.relnamespace = 'login'::regnamespace and class.relkind = 'r'
  loop
    execute format('alter table %s enable row level security', v_table);
    execute format('alter table %s force row level security', v_table);
    execute format('drop policy if exists login on %s', v_table);
    if exists (select from pg_catalog.pg_roles where rolname = 'exora_app') then
      execute format(
        'create policy login on %s for all to exora_app, %I using (true) with check (true)', v_table, current_user
      );
    else
      execute format('create policy login on %s for all to %I using (true) with check (true)', v_table, current_user);
    end if;
  end loop;
end
$$;

-- The embedded login is reached by the server's login role alone, never by a role that a request can take.
revoke all on schema login from public, anon, authenticated, service_role;
revoke all on all tables in schema login from public, anon, authenticated, service_role;
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'exora_app') then
    grant usage on schema login to exora_app;
    grant select, insert, update, delete on all tables in schema login to exora_app;
  end if;
end
$$;

create or replace function public.refuse_change() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  raise exception 'Rows of % are never changed or removed.', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function public.refuse_change() is 'Guards append-only tables, against their owner too.';

revoke all on function
  public.protect_table(regclass),
  public.own_tables(),
  public.refuse_change()
from public, anon, authenticated, service_role;
