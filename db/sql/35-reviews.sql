-- Reviews: a person decides what no stage may decide.

-- Definer: access is checked first; clients cannot write reviews, stages or jobs.
create or replace function public.decide_identity_review(p_review_id uuid, p_decision text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_shell_file_id uuid;
  v_file public.shell_files;
  v_status text;
begin
  if p_decision is null or p_decision not in ('accepted', 'rejected') then
    raise exception 'A decision is accepted or rejected.' using errcode = 'invalid_parameter_value';
  end if;
  select review.shell_file_id into v_shell_file_id
  from public.manual_review_queue as review
  where review.id = p_review_id and review.review_type = 'identity';
  -- Before the file is locked, as everywhere; it tells nothing about a file that is not the caller's.
  perform public.hold_processing_of_file(v_shell_file_id);
  v_file := public.lock_open_shell_file(v_shell_file_id, 'read_write');
  -- Whose document it is, is for the person and those who act for them: a clinician may write, but not decide this.
  perform public.require_profile_access(v_file.patient_id, 'read_write', 'identity');
  select review.status into v_status from public.manual_review_queue as review where review.id = p_review_id;
  if v_status = p_decision then
    return;
  elsif v_status <> 'pending' then
    raise exception 'This review has been decided.' using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.manual_review_queue as review
  set status = p_decision,
      decided_by = auth.uid(),
      decided_at = now()
  where review.id = p_review_id;
  update public.shell_files as file set review_state = p_decision where file.id = v_shell_file_id;
  update public.shell_file_stages as step
  set status = case when step.stage = 'pass1_find' then 'completed' else 'skipped' end,
      finished_at = clock_timestamp()
  where step.shell_file_id = v_shell_file_id
    and ((step.stage = 'pass1_find' and step.status = 'held')
      or (p_decision = 'rejected' and step.stage in ('pass2_code', 'pass3_narrate') and step.status = 'pending'));
  if p_decision = 'accepted' then
    perform public.enqueue_stage(v_shell_file_id, 'pass2_code');
  end if;
end
$$;
comment on function public.decide_identity_review(uuid, text) is
  'A person says whether a document is this patient''s: accepted is coded at once (or once processing is allowed again), rejected stays out of the record.';

revoke all on function public.decide_identity_review(uuid, text) from public, anon, authenticated, service_role;

grant execute on function public.decide_identity_review(uuid, text) to authenticated;
