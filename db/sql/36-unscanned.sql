-- Files that were taken while the malware scanner was away.

-- Definer: services may read stages and change them only here.
create or replace function public.settle_unscanned_file(
  p_shell_file_id uuid,
  p_outcome jsonb,
  p_error jsonb default null
) returns boolean language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_shell_file(p_shell_file_id);
  -- One that is being processed, or was scanned again meanwhile, is left to that.
  update public.shell_file_stages as step
  set outcome = p_outcome,
      status = case when p_error is null then step.status else 'failed' end,
      error = case when p_error is null then step.error else public.stage_error(p_error) end
  where step.shell_file_id = p_shell_file_id
    and step.stage = 'security_scan'
    and step.status in ('completed', 'failed')
    and step.outcome #>> '{scan,malware}' = 'unscanned'
    and not exists (
      select from public.job_queue as job
      where job.shell_file_id = p_shell_file_id and job.status in ('pending', 'processing')
    );
  return found;
end
$$;
comment on function public.settle_unscanned_file(uuid, jsonb, jsonb) is
  'A file that was taken without a malware scan has had one: what it found replaces the notice, and a find fails the file. False where there was nothing to settle.';

create or replace function public.unscanned_files() returns bigint
language sql stable set search_path = '' as $$
  select count(*)
  from public.shell_file_stages as step
  join public.shell_files as file on file.id = step.shell_file_id
  where step.stage = 'security_scan'
    and step.outcome #>> '{scan,malware}' = 'unscanned'
    and file.deleted_at is null
$$;
comment on function public.unscanned_files() is 'Documents that were taken while the malware scanner was away and have not been scanned since.';

revoke all on function
  public.settle_unscanned_file(uuid, jsonb, jsonb),
  public.unscanned_files()
from public, anon, authenticated, service_role;

grant execute on function public.settle_unscanned_file(uuid, jsonb, jsonb) to service_role;
grant execute on function public.unscanned_files() to service_role;
