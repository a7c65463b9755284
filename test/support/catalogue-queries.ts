/**
 * What `catalogueSnapshot` asks of pg_catalog. Each query gives a name and what is said of it, for the schemas of
 * `$1` and for what the current user owns.
 */
const preparation = `
  create function pg_temp.role_name(p_role oid) returns text language sql as $$
    select case
      when p_role = 0 then 'public'
      when p_role = current_user::regrole::oid then '<owner>'
      else pg_get_userbyid(p_role)
    end
  $$;
  create function pg_temp.grants(p_acl aclitem[]) returns text language sql as $$
    select coalesce(string_agg(line, '; ' order by line), 'nobody')
    from (
      select pg_temp.role_name(grantee) || ' ' || string_agg(
        privilege_type || case when is_grantable then ' with grant option' else '' end, ', ' order by privilege_type
      )
      from aclexplode(p_acl)
      -- What an owner has of its own is its own.
      where grantee <> current_user::regrole
      group by grantee
    ) as granted (line)
  $$;`

const owned = 'current_user::regrole'

// Effective rights, because public belongs to whoever had the database made and is granted in other ways everywhere.
const schemas = `
  select
    format('schema %I', nspname),
    concat_ws(' | ',
      case when nspname <> 'public' then 'grants: ' || pg_temp.grants(coalesce(nspacl, acldefault('n', nspowner))) end,
      case when nspname <> 'public' then 'comment: ' || obj_description(schema.oid, 'pg_namespace') end,
      (
        select string_agg(
          role || ' ' || case when has_schema_privilege(role, schema.oid, 'create') then 'creates' else 'uses' end, ', ' order by role
        )
        from unnest(array['public', 'anon', 'authenticated', 'service_role']) as role
        where has_schema_privilege(role, schema.oid, 'usage')
      )
    )
  from pg_namespace as schema
  where nspname = any ($1)`

const relations = `
  select
    format('%s %s', case relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' else 'table' end, class.oid::regclass),
    concat_ws(' | ',
      'kind ' || relkind::text, 'persistence ' || relpersistence::text, 'replica identity ' || relreplident::text,
      'row security ' || relrowsecurity::text || ', forced ' || relforcerowsecurity::text,
      'options: ' || array_to_string(reloptions, ', '),
      'by ' || pg_get_partkeydef(class.oid),
      'part of ' || (select inhparent::regclass::text from pg_inherits where inhrelid = class.oid) || ' ' || pg_get_expr(relpartbound, class.oid),
      'columns: ' || (
        select string_agg(attname, ', ' order by attnum) from pg_attribute
        where attrelid = class.oid and attnum > 0 and not attisdropped and relkind <> 'S'
      ),
      case when relkind in ('v', 'm') then 'query: ' || pg_get_viewdef(class.oid) end,
      (
        select format('sequence of %s from %s by %s, %s to %s, cache %s, cycles %s', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
        from pg_sequence where seqrelid = class.oid
      ),
      'belongs to ' || (
        select format('%s.%s', refobjid::regclass, (select attname from pg_attribute where attrelid = refobjid and attnum = refobjsubid))
        from pg_depend where objid = class.oid and classid = 'pg_class'::regclass and deptype in ('a', 'i') and refobjsubid > 0 and relkind = 'S'
      ),
      'grants: ' || pg_temp.grants(coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))),
      'comment: ' || obj_description(class.oid, 'pg_class')
    )
  from pg_class as class
  where relnamespace = any (array(select oid from pg_namespace where nspname = any ($1)))
    and relkind in ('r', 'p', 'v', 'm', 'S', 'f') and relowner = ${owned}`

const columns = `
  select
    format('column %s.%I', class.oid::regclass, attname),
    concat_ws(' | ',
      format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
      'default ' || pg_get_expr(adbin, adrelid),
      case when attidentity <> '' then 'identity ' || attidentity::text end,
      case when attgenerated <> '' then 'generated ' || attgenerated::text end,
      'storage ' || attstorage::text, case when attcompression <> '' then 'compression ' || attcompression::text end,
      'collation ' || nullif(attcollation, 0)::regcollation::text,
      'statistics ' || nullif(attstattarget, -1)::text, 'options: ' || array_to_string(attoptions, ', '),
      'grants: ' || pg_temp.grants(attacl),
      'comment: ' || col_description(class.oid, attnum)
    )
  from pg_attribute as attribute
  join pg_class as class on class.oid = attrelid
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where relnamespace = any (array(select oid from pg_namespace where nspname = any ($1)))
    and relkind in ('r', 'p', 'v', 'm', 'f') and relowner = ${owned} and attnum > 0 and not attisdropped`

const constraints = `
  select
    format('constraint %s.%I', conrelid::regclass, conname),
    concat_ws(' | ',
      pg_get_constraintdef(rule.oid), case when not convalidated then 'not validated' end,
      case when not conislocal then 'inherited' end, 'comment: ' || obj_description(rule.oid, 'pg_constraint')
    )
  from pg_constraint as rule
  join pg_class as class on class.oid = conrelid
  where relnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and relowner = ${owned}`

const indexes = `
  select
    format('index %s', indexrelid::regclass),
    concat_ws(' | ',
      pg_get_indexdef(indexrelid), case when not indisvalid then 'not valid' end,
      'options: ' || array_to_string(class.reloptions, ', '),
      'part of ' || (select inhparent::regclass::text from pg_inherits where inhrelid = indexrelid),
      'comment: ' || obj_description(indexrelid, 'pg_class')
    )
  from pg_index
  join pg_class as class on class.oid = indexrelid
  where relnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and relowner = ${owned}`

const triggers = `
  select
    format('trigger %s.%I', tgrelid::regclass, tgname),
    concat_ws(' | ',
      pg_get_triggerdef(fires.oid), 'enabled ' || tgenabled::text, case when tgparentid <> 0 then 'of the whole' end,
      'comment: ' || obj_description(fires.oid, 'pg_trigger')
    )
  from pg_trigger as fires
  join pg_class as class on class.oid = tgrelid
  where not tgisinternal
    and relnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and relowner = ${owned}`

const policies = `
  select
    format('policy %s.%I', polrelid::regclass, polname),
    concat_ws(' | ',
      'for ' || polcmd::text, case when not polpermissive then 'restrictive' end,
      'to ' || (select string_agg(pg_temp.role_name(role), ', ' order by pg_temp.role_name(role)) from unnest(polroles) as role),
      'using ' || pg_get_expr(polqual, polrelid), 'check ' || pg_get_expr(polwithcheck, polrelid)
    )
  from pg_policy
  join pg_class as class on class.oid = polrelid
  where relnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and relowner = ${owned}`

const functions = `
  select
    format('function %s', func.oid::regprocedure),
    concat_ws(' | ',
      pg_get_functiondef(func.oid),
      'grants: ' || pg_temp.grants(coalesce(proacl, acldefault('f', proowner))),
      'comment: ' || obj_description(func.oid, 'pg_proc')
    )
  from pg_proc as func
  where pronamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and proowner = ${owned}
    and prokind <> 'a'`

const types = `
  select
    format('type %s', kind.oid::regtype),
    concat_ws(' | ',
      'kind ' || typtype::text, (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = kind.oid),
      case when typtype = 'd' then format_type(typbasetype, typtypmod) end, 'default ' || typdefault,
      (select string_agg(pg_get_constraintdef(oid), ', ' order by conname) from pg_constraint where contypid = kind.oid)
    )
  from pg_type as kind
  where typnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and typowner = ${owned}
    and typtype in ('e', 'd', 'r')`

const statistics = `
  select format('statistics %I', stxname), pg_get_statisticsobjdef(oid)
  from pg_statistic_ext
  where stxnamespace = any (array(select oid from pg_namespace where nspname = any ($1))) and stxowner = ${owned}`

const defaultGrants = `
  select
    format('later objects of kind %s in %s', defaclobjtype, case when defaclnamespace = 0 then 'any schema' else defaclnamespace::regnamespace::text end),
    'grants: ' || pg_temp.grants(defaclacl)
  from pg_default_acl
  where defaclrole = ${owned} and $1::text[] is not null
    -- An entry that names nobody but the owner opens nothing; in a schema it only ever adds to what holds everywhere.
    and (defaclnamespace = 0 or pg_temp.grants(defaclacl) <> 'nobody')`

const seededTables = `
  select
    class.oid::regclass::text as name,
    array(
      select attname::text from pg_attribute as attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = class.oid and attnum > 0 and not attisdropped
        and (atttypid = 'timestamptz'::regtype or attidentity <> '' or (atttypid = 'uuid'::regtype and adbin is not null))
    ) as made_up
  from pg_class as class
  where relnamespace in ('public'::regnamespace, 'login'::regnamespace) and relkind in ('r', 'p') and not relispartition
    and relowner = ${owned} and relname not in ('audit_log', 'audit_seals')`

export const catalogueQueries = {
  preparation,
  objects: [
    schemas,
    relations,
    columns,
    constraints,
    indexes,
    triggers,
    policies,
    functions,
    types,
    statistics,
    defaultGrants,
  ],
  seededTables,
}
