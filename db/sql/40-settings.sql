-- Settings: switches and numbers that operators change while everything runs. A seed never undoes what they changed.

insert into public.feature_flags (feature_name, enabled, description)
values
  ('usage_tracking_enabled', true, 'Uploads and AI work are written to the usage ledger.'),
  ('usage_limits_enforced', false, 'An upload past the limits of its plan is refused instead of answered with a warning.'),
  ('upgrade_prompts_enabled', false, 'People near a limit are shown the larger plans.'),
  ('billing_enabled', false, 'Plans are charged for.')
on conflict (feature_name) do nothing;

insert into public.system_configuration (config_key, config_value, description)
values
  ('usage.warning_percentage', '80', 'From this share of a limit on, usage answers carry a warning.'),
  ('idempotency.keep_hours', '48', 'How long the answer to an upload is kept for replays of its key; never under 24.'),
  ('audit.partition_months_ahead', '3', 'How many months of audit partitions exist before they are needed.'),
  ('access.provider_days_max', '366', 'The longest time, in days, for which a patient can let in a clinician.'),
  ('access.open_requests_max', '50', 'How many patients a clinician may be waiting for.'),
  ('access.daily_requests_max', '50', 'How many patients a clinician may ask within a day.'),
  ('access.ask_again_days', '30', 'For how many days after a no the same clinician is not heard again.'),
  ('access.break_glass_max_minutes', '240', 'The longest time for which the glass can be broken; never over 480.'),
  ('access.break_glass_daily_max', '20', 'How often an account may break the glass within a day.')
on conflict (config_key) do nothing;

drop trigger if exists touch on public.feature_flags;
create trigger touch before update on public.feature_flags
  for each row execute function public.touch_updated_at();
drop trigger if exists touch on public.system_configuration;
create trigger touch before update on public.system_configuration
  for each row execute function public.touch_updated_at();

create or replace function public.feature_enabled(p_feature_name text) returns boolean
language sql stable set search_path = '' as $$
  select coalesce((select flag.enabled from public.feature_flags as flag where flag.feature_name = p_feature_name), false)
$$;
comment on function public.feature_enabled(text) is 'Is this switch on? An unknown switch is off.';

create or replace function public.configured_number(p_config_key text, p_default numeric) returns numeric
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select (setting.config_value #>> '{}')::numeric
      from public.system_configuration as setting
      where setting.config_key = p_config_key and jsonb_typeof(setting.config_value) = 'number'
    ),
    p_default
  )
$$;
comment on function public.configured_number(text, numeric) is 'A number that operators may change while everything runs.';

revoke all on function
  public.feature_enabled(text),
  public.configured_number(text, numeric)
from public, anon, authenticated, service_role;

grant execute on function public.feature_enabled(text) to service_role;
grant execute on function public.configured_number(text, numeric) to service_role;
