ALTER TABLE "fact_review_decisions" DROP CONSTRAINT "fact_review_decisions_decision_check";--> statement-breakpoint
ALTER TABLE "shell_file_stages" ADD COLUMN "repeats" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "entity_processing_audit_v2" ADD COLUMN "entry" jsonb;--> statement-breakpoint
ALTER TABLE "entity_processing_audit_v2" ADD COLUMN "apart_id" uuid;--> statement-breakpoint
ALTER TABLE "entity_processing_audit_v2" ADD COLUMN "entry_base" text;--> statement-breakpoint
CREATE INDEX "entity_processing_audit_base_idx" ON "entity_processing_audit_v2" USING btree ("patient_id","entry_base");--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ADD CONSTRAINT "fact_review_decisions_decision_check" CHECK (decision in ('accepted', 'edited', 'rejected', 'entered', 'separated'));--> statement-breakpoint
-- Facts of before say what their event says: nothing else of them was kept. The base is that of `keep_entry_base`.
update public.entity_processing_audit_v2 as fact
set entry = jsonb_build_object(
      'event', jsonb_build_object(
        'event_type', event.event_type, 'assertion', event.assertion, 'event_date', event.event_date,
        'event_day', event.event_day, 'date_meaning', event.date_meaning, 'merge_key', event.merge_key,
        'encounter_id', case when event.shell_file_id = fact.shell_file_id then event.encounter_id end
      ),
      'spoke', spoke.said - '{event_id,patient_id,assertion}'::text[],
      'components', (
        select coalesce(jsonb_agg(to_jsonb(part) - '{event_id,patient_id}'::text[] order by part.ordinal), '[]')
        from public.patient_observation_components as part
        where part.event_id = event.id
      )
    ),
    entry_base = md5(concat_ws(' ', event.event_type, coalesce(split_part(event.merge_key, '#', 1), fact.id::text)))
from public.patient_clinical_events as event
cross join lateral (
  select coalesce(
    (select to_jsonb(row) from public.patient_observations as row where row.event_id = event.id),
    (select to_jsonb(row) from public.patient_conditions as row where row.event_id = event.id),
    (select to_jsonb(row) from public.patient_medications as row where row.event_id = event.id),
    (select to_jsonb(row) from public.patient_allergies as row where row.event_id = event.id),
    (select to_jsonb(row) from public.patient_immunizations as row where row.event_id = event.id),
    (select to_jsonb(row) from public.patient_interventions as row where row.event_id = event.id),
    (select to_jsonb(row) from public.family_history as row where row.event_id = event.id),
    (select to_jsonb(row) from public.social_history as row where row.event_id = event.id)
  ) as said
) as spoke
where event.id = fact.event_id;--> statement-breakpoint
update public.entity_processing_audit_v2 as fact
set entry = jsonb_build_object('encounter', jsonb_build_object(
      'encounter_kind', contact.encounter_kind, 'name', contact.name, 'assertion', contact.assertion,
      'start_date', contact.start_date, 'end_date', contact.end_date, 'provider', contact.provider,
      'facility', contact.facility
    )),
    entry_base = 'encounter ' || fact.id
from public.healthcare_encounters as contact
where contact.id = fact.event_id and contact.fact_id = fact.id;
