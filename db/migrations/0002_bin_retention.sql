CREATE TABLE "erased_objects" (
	"storage_key" text PRIMARY KEY NOT NULL,
	"erased_at" timestamp (6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "erased_objects" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "audit_seals" ADD COLUMN "dropped_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "clinical_narrative_sentences" ADD COLUMN "withdrawn_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "healthcare_encounters" ADD COLUMN "withdrawn_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "patient_clinical_events" ADD COLUMN "withdrawn_at" timestamp (6) with time zone;--> statement-breakpoint
CREATE INDEX "shell_files_bin_idx" ON "shell_files" USING btree ("deleted_at") WHERE deleted_at is not null;--> statement-breakpoint
ALTER TABLE "retention_rules" ADD CONSTRAINT "retention_rules_keep_days_check" CHECK (keep_days > 0);