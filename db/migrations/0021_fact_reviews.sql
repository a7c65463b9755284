CREATE TABLE "fact_review_decisions" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"decision_id" uuid NOT NULL,
	"patient_id" uuid NOT NULL,
	"shell_file_id" uuid NOT NULL,
	"fact_ids" uuid[] NOT NULL,
	"decision" text NOT NULL,
	"reason_code" text,
	"corrected" jsonb,
	"before" jsonb NOT NULL,
	"decided_by" uuid,
	"decided_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"undone_by" uuid,
	"undone_at" timestamp (6) with time zone,
	CONSTRAINT "fact_review_decisions_decision_check" CHECK (decision in ('accepted', 'edited', 'rejected', 'entered')),
	CONSTRAINT "fact_review_decisions_reason_check" CHECK (reason_code in ('wrong_value', 'wrong_person', 'not_said', 'duplicate', 'other')),
	CONSTRAINT "fact_review_decisions_rejected_check" CHECK ((decision = 'rejected') = (reason_code is not null)),
	CONSTRAINT "fact_review_decisions_edited_check" CHECK ((decision = 'edited') = (corrected is not null)),
	CONSTRAINT "fact_review_decisions_facts_check" CHECK (cardinality(fact_ids) > 0)
);
--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "fact_snapshots" (
	"shell_file_id" uuid PRIMARY KEY NOT NULL,
	"patient_id" uuid NOT NULL,
	"fact_count" integer NOT NULL,
	"facts" jsonb NOT NULL,
	"taken_at" timestamp (6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "fact_snapshots" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "entity_processing_audit_v2" ADD COLUMN "corrected" jsonb;--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ADD CONSTRAINT "fact_review_decisions_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ADD CONSTRAINT "fact_review_decisions_shell_file_id_shell_files_id_fk" FOREIGN KEY ("shell_file_id") REFERENCES "public"."shell_files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ADD CONSTRAINT "fact_review_decisions_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fact_review_decisions" ADD CONSTRAINT "fact_review_decisions_undone_by_users_id_fk" FOREIGN KEY ("undone_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fact_snapshots" ADD CONSTRAINT "fact_snapshots_shell_file_id_shell_files_id_fk" FOREIGN KEY ("shell_file_id") REFERENCES "public"."shell_files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fact_snapshots" ADD CONSTRAINT "fact_snapshots_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "fact_review_decisions_file_idx" ON "fact_review_decisions" USING btree ("shell_file_id","decided_at");--> statement-breakpoint
CREATE INDEX "fact_review_decisions_patient_idx" ON "fact_review_decisions" USING btree ("patient_id");--> statement-breakpoint
CREATE INDEX "fact_snapshots_patient_idx" ON "fact_snapshots" USING btree ("patient_id");