ALTER TABLE "job_schedules" ALTER COLUMN "every_seconds" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "daily_at" time;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "time_zone" text;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "catch_up" text DEFAULT 'latest' NOT NULL;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "max_missed" integer;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "grace_seconds" integer;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "slots_from" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "last_job_id" uuid;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "next_slot_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD COLUMN "removed_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "job_schedules" ADD CONSTRAINT "job_schedules_catch_up_check" CHECK (catch_up in ('latest', 'each', 'skip'));--> statement-breakpoint
ALTER TABLE "job_schedules" ADD CONSTRAINT "job_schedules_rule_check" CHECK (num_nonnulls(every_seconds, daily_at) = 1 and (daily_at is null) = (time_zone is null) and every_seconds > 0);--> statement-breakpoint
ALTER TABLE "job_schedules" ADD CONSTRAINT "job_schedules_max_missed_check" CHECK ((catch_up = 'each') = (max_missed is not null) and max_missed > 0);--> statement-breakpoint
ALTER TABLE "job_schedules" ADD CONSTRAINT "job_schedules_grace_check" CHECK ((catch_up = 'skip') = (grace_seconds is not null) and grace_seconds >= 0);