ALTER TABLE "patient_observations" ADD COLUMN "usual_value" numeric;--> statement-breakpoint
ALTER TABLE "patient_observations" ADD COLUMN "usual_unit_ucum" text;