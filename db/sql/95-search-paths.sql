-- Search paths: what every function of ours was given in its own file, made safe in one place, after all of them.
--
-- With an empty path the temporary schema is still looked into, and before pg_catalog, for types and tables. Whoever
-- may make a temporary domain called `uuid` would have its check run with the rights of a definer function that
-- declares one. Named last, it is looked into last. Revoking TEMPORARY would be no guard: that right
-- is the database's, and neither a dump nor a template keeps what was revoked.

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select func.oid::regprocedure
    from pg_catalog.pg_proc as func
    where func.pronamespace in ('public'::regnamespace, 'auth'::regnamespace)
      and func.proowner = current_user::regrole
      and func.proconfig @> array['search_path=""']
  loop
    execute format('alter function %s set search_path = pg_catalog, pg_temp', v_function);
  end loop;
end
$$;
