-- Erasure of documents: the rows first, the bytes after.
--
-- Rows are erased and the key of their bytes is listed in one transaction; a worker deletes the bytes and then the line
-- of the list. So at every moment bytes are named by a file or by the list: a crash anywhere leaves work to do again,
-- never bytes that nobody can find, and never a document without its bytes.

create or replace function public.delete_spokes(p_event_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  delete from public.patient_observations as spoke where spoke.event_id = any (p_event_ids);
  delete from public.patient_medications as spoke where spoke.event_id = any (p_event_ids);
  delete from public.patient_conditions as spoke where spoke.event_id = any (p_event_ids);
  delete from public.patient_allergies as spoke where spoke.event_id = any (p_event_ids);
  delete from public.patient_immunizations as spoke where spoke.event_id = any (p_event_ids);
  delete from public.patient_interventions as spoke where spoke.event_id = any (p_event_ids);
  delete from public.family_history as spoke where spoke.event_id = any (p_event_ids);
  delete from public.social_history as spoke where spoke.event_id = any (p_event_ids);
end
$$;
comment on function public.delete_spokes(uuid[]) is
  'What events say; no foreign key takes it along.';

create or replace function public.delete_clinical_events(p_event_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.delete_spokes(p_event_ids);
  -- Takes along the sentences that cite them, in storylines of other files too (50-clinical.sql).
  delete from public.patient_clinical_events as event where event.id = any (p_event_ids);
end
$$;
comment on function public.delete_clinical_events(uuid[]) is
  'Events with all their spokes, which no foreign key takes along.';

create or replace function public.erase_file_from_record(p_file public.shell_files) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_bases text[];
  v_left uuid[];
begin
  delete from public.healthcare_encounters as encounter where encounter.shell_file_id = p_file.id;
  with gone as (
    delete from public.entity_processing_audit_v2 as fact
    where fact.shell_file_id = p_file.id
    returning fact.entry_base, fact.event_id
  )
  select array_agg(distinct gone.entry_base), array_agg(distinct gone.event_id) into v_bases, v_left
  from gone
  where gone.event_id is not null;
  -- What other files say as well stays, as they say it.
  perform public.settle_record(p_file.patient_id, coalesce(v_bases, '{}'), coalesce(v_left, '{}'));
  perform public.delete_clinical_events(array(
    select event.id from public.patient_clinical_events as event where event.shell_file_id = p_file.id
  ));
end
$$;
drop function if exists public.erase_file_from_record(uuid);
comment on function public.erase_file_from_record(public.shell_files) is
  'Everything that was found in a file, and what it alone supports in the record, human edits included.';

create or replace function public.erase_shell_file(p_shell_file_id uuid) returns text
language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files := public.lock_file_and_record(p_shell_file_id);
begin
  if v_file.id is null then
    return null;
  end if;
  if v_file.deleted_at is null then
    perform public.put_in_bin(p_shell_file_id);
  end if;
  -- Dead letters wait for somebody to decide; here somebody has.
  perform public.take_job_out(job.id, array['dead_letter'], null, 'its document was erased')
  from public.job_queue as job
  where job.shell_file_id = p_shell_file_id and job.status = 'dead_letter';

  perform public.erase_file_from_record(v_file);
  -- The answer that is kept for replays holds the file's name.
  delete from public.idempotency_keys as known
  where known.profile_id = v_file.patient_id and known.shell_file_id = p_shell_file_id;
  delete from public.shell_files as file where file.id = p_shell_file_id;
  insert into public.erased_objects (storage_key) values (v_file.storage_key) on conflict do nothing;
  return v_file.storage_key;
end
$$;
comment on function public.erase_shell_file(uuid) is
  'Erases a document with everything that hangs off it, in use or in the bin, and lists its bytes for deletion; returns their key, null when there is no such document. For definer functions that have asked who may.';

-- Definer: erases where no role may; only what a person deleted, and whose days in the bin are over.
create or replace function public.purge_deleted_files(p_limit int default 20) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_before constant timestamptz := now() - public.retention_period('shell_files');
  v_id uuid;
  v_file public.shell_files;
  v_erased int := 0;
begin
  for v_id in
    select file.id
    from public.shell_files as file
    where file.deleted_at < v_before
    order by file.deleted_at
    limit p_limit
  loop
    -- Restored at this very moment, it is left alone.
    v_file := public.lock_file_and_record(v_id);
    if v_file.deleted_at < v_before then
      perform public.erase_shell_file(v_id);
      v_erased := v_erased + 1;
    end if;
  end loop;
  return v_erased;
end
$$;
comment on function public.purge_deleted_files(int) is
  'Erases documents whose days in the bin are over (retention_rules), oldest first; returns how many. Their bytes are listed in erased_objects.';

-- Definer: erased_objects is written by no API role.
create or replace function public.erase_page_picture() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into public.erased_objects (storage_key) values (old.storage_key) on conflict do nothing;
  return null;
end
$$;
comment on function public.erase_page_picture() is 'A picture of a page that nothing names any more, or whose document is erased, is bytes that nobody needs.';
drop trigger if exists erase_page_picture on public.page_pictures;
create trigger erase_page_picture after delete on public.page_pictures
  for each row execute function public.erase_page_picture();

-- Definer: the list is written by erasing alone.
create or replace function public.forget_erased_objects(p_storage_keys text[]) returns void
language sql volatile security definer set search_path = '' as $$
  delete from public.erased_objects as object where object.storage_key = any (p_storage_keys)
$$;
comment on function public.forget_erased_objects(text[]) is 'The store has deleted these bytes.';

revoke all on function
  public.delete_spokes(uuid[]),
  public.delete_clinical_events(uuid[]),
  public.erase_file_from_record(public.shell_files),
  public.erase_shell_file(uuid),
  public.purge_deleted_files(int),
  public.erase_page_picture(),
  public.forget_erased_objects(text[])
from public, anon, authenticated, service_role;

grant execute on function public.purge_deleted_files(int) to service_role;
grant execute on function public.forget_erased_objects(text[]) to service_role;
