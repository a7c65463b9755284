CREATE TABLE "job_lanes" (
	"job_lane" text PRIMARY KEY NOT NULL,
	"paused_at" timestamp (6) with time zone,
	"paused_by" uuid,
	"pause_reason" text,
	CONSTRAINT "job_lanes_lane_check" CHECK (job_lane in ('fast_queue', 'ai_queue', 'background')),
	CONSTRAINT "job_lanes_reason_check" CHECK (length(pause_reason) <= 200),
	CONSTRAINT "job_lanes_pause_check" CHECK (paused_at is not null or (paused_by is null and pause_reason is null))
);
--> statement-breakpoint
ALTER TABLE "job_lanes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "job_queue" ADD COLUMN "replay_count" smallint DEFAULT 0 NOT NULL;