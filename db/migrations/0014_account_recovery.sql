CREATE TABLE "user_profile_context" (
	"account_id" uuid PRIMARY KEY NOT NULL,
	"current_profile_id" uuid NOT NULL,
	"recent_profile_ids" uuid[] NOT NULL,
	"last_switched_at" timestamp (6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "user_profile_context" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "login"."messages" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"kind" text NOT NULL,
	"email" text NOT NULL,
	"user_id" uuid,
	"requested_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp (6) with time zone,
	CONSTRAINT "messages_kind_check" CHECK (kind in ('password_reset', 'email_change', 'email_changed'))
);
--> statement-breakpoint
CREATE TABLE "login"."two_factors" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"user_id" uuid NOT NULL,
	"secret" text NOT NULL,
	"backup_codes" text NOT NULL,
	"verified" boolean DEFAULT false NOT NULL,
	"failed_verification_count" integer DEFAULT 0 NOT NULL,
	"locked_until" timestamp (6) with time zone,
	CONSTRAINT "two_factors_user_id_key" UNIQUE("user_id")
);
--> statement-breakpoint
ALTER TABLE "login"."users" ADD COLUMN "two_factor_enabled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "user_profile_context" ADD CONSTRAINT "user_profile_context_account_id_users_id_fk" FOREIGN KEY ("account_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_profile_context" ADD CONSTRAINT "user_profile_context_current_profile_id_user_profiles_id_fk" FOREIGN KEY ("current_profile_id") REFERENCES "public"."user_profiles"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "login"."messages" ADD CONSTRAINT "messages_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "login"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "login"."two_factors" ADD CONSTRAINT "two_factors_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "login"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "user_profile_context_profile_idx" ON "user_profile_context" USING btree ("current_profile_id");--> statement-breakpoint
CREATE INDEX "messages_email_idx" ON "login"."messages" USING btree ("email","requested_at");--> statement-breakpoint
CREATE INDEX "messages_user_idx" ON "login"."messages" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "audit_log_time_idx" ON "audit_log" USING btree ("changed_at","id");