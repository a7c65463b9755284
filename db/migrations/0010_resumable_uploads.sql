CREATE TABLE "resumable_uploads" (
	"id" uuid PRIMARY KEY NOT NULL,
	"account_id" uuid NOT NULL,
	"patient_id" uuid NOT NULL,
	"size_bytes" bigint NOT NULL,
	"received_bytes" bigint DEFAULT 0 NOT NULL,
	"filename" text NOT NULL,
	"fields" jsonb NOT NULL,
	"keep_both" boolean NOT NULL,
	"pieces" text[] DEFAULT '{}' NOT NULL,
	"lock_token" uuid,
	"locked_until" timestamp (6) with time zone,
	"response_body" jsonb,
	"expires_at" timestamp (6) with time zone NOT NULL,
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "resumable_uploads_received_check" CHECK (received_bytes between 0 and size_bytes and size_bytes > 0),
	CONSTRAINT "resumable_uploads_finished_check" CHECK ((received_bytes = size_bytes) = (response_body is not null))
);
--> statement-breakpoint
ALTER TABLE "resumable_uploads" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "resumable_uploads" ADD CONSTRAINT "resumable_uploads_account_id_users_id_fk" FOREIGN KEY ("account_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resumable_uploads" ADD CONSTRAINT "resumable_uploads_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "resumable_uploads_expires_idx" ON "resumable_uploads" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "resumable_uploads_patient_idx" ON "resumable_uploads" USING btree ("patient_id");--> statement-breakpoint
CREATE INDEX "resumable_uploads_account_idx" ON "resumable_uploads" USING btree ("account_id");