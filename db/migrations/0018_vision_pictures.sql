-- Pictures sent to Google Vision are counted as its tokens: it limits them beside requests. New databases are seeded so.
update public.api_rate_limits
set tokens_per_minute = 1800
where provider_name = 'google'
  and api_endpoint = 'vision-api'
  and tokens_per_minute is null;
