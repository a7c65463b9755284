-- Consents: what may be done with a person's data, purpose by purpose. `consent_holds` (11-access.sql) answers; here it
-- is decided.

insert into public.consent_purposes as known (purpose, holds_undecided, description)
values
  ('data_processing', true, 'Reading uploaded documents on our own machines: finding, coding and telling the facts in them.'),
  ('outside_ocr', true, 'Sending pictures of pages to the outside reader that the operator has configured.'),
  ('outside_ai', true, 'Sending text of documents to the outside model that the operator has configured.'),
  ('provider_access', false, 'Letting clinicians read the record, each after approval of their own.')
on conflict (purpose) do update set description = excluded.description;

drop trigger if exists append_only on public.patient_consents;
create trigger append_only before update or delete on public.patient_consents
  for each row execute function public.refuse_change();
drop trigger if exists no_truncate on public.patient_consents;
create trigger no_truncate before truncate on public.patient_consents
  for each statement execute function public.refuse_change();
