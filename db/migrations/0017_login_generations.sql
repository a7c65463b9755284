ALTER TABLE "login"."sessions" ADD COLUMN "login_generation" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "login"."users" ADD COLUMN "login_generation" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "login"."users" ADD COLUMN "logins_ended_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "login"."verifications" ADD COLUMN "login_generation" integer;--> statement-breakpoint
ALTER TABLE "resumable_uploads" ADD COLUMN "piece_key" text;