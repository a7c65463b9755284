-- Lanes as a whole: an operator holds the claims of one (21-queue-claims.sql asks here) and lets it go on. Both functions are
-- security definer, because operators are ordinary accounts, to whom the table is closed; each asks for an operator first.

comment on table public.job_lanes is
  'Where operators hold the claims of a whole lane. Changed by pause_lane and resume_lane alone.';
comment on column public.job_lanes.pause_reason is 'A word from one operator to the others; nothing of a patient belongs here.';

insert into public.job_lanes (job_lane)
values ('fast_queue'), ('ai_queue'), ('background')
on conflict (job_lane) do nothing;

create or replace function public.require_lane(p_job_lane text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not exists (select from public.job_lanes as lane where lane.job_lane = p_job_lane) then
    raise exception 'job_lane "%" is not known', p_job_lane using errcode = '22023';
  end if;
end
$$;
comment on function public.require_lane(text) is 'Raises 22023 for a lane that there is not.';

-- Security definer: see the head of this file.
create or replace function public.pause_lane(p_job_lane text, p_reason text default null)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  perform public.require_lane(p_job_lane);
  if length(p_reason) > 200 then
    raise exception 'p_reason may have 200 characters' using errcode = '22023';
  end if;
  update public.job_lanes as lane
  set paused_at = now(),
      paused_by = (select context.actor_id from public.request_context() as context),
      pause_reason = nullif(btrim(p_reason), '')
  where lane.job_lane = p_job_lane
    and lane.paused_at is null;
  return found;
end
$$;
comment on function public.pause_lane(text, text) is
  'No job of the lane is claimed any more, but for recurring work; what runs goes on, what comes in waits. False when it was paused already. Operators only; audited.';

-- Security definer: see the head of this file.
create or replace function public.resume_lane(p_job_lane text)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  perform public.require_lane(p_job_lane);
  update public.job_lanes as lane
  set paused_at = null,
      paused_by = null,
      pause_reason = null
  where lane.job_lane = p_job_lane
    and lane.paused_at is not null;
  if not found then
    return false;
  end if;
  perform pg_notify('exora_jobs', p_job_lane);
  return true;
end
$$;
comment on function public.resume_lane(text) is
  'Lets a paused lane go on, and wakes its workers. False when it was not paused. Operators only; audited.';

revoke all on function
  public.require_lane(text),
  public.pause_lane(text, text),
  public.resume_lane(text)
from public, anon, authenticated, service_role;
grant execute on function
  public.pause_lane(text, text),
  public.resume_lane(text)
to authenticated, service_role;
