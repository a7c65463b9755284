CREATE TABLE "slo_alert_deliveries" (
	"alert_id" uuid NOT NULL,
	"alert_state" text NOT NULL,
	"value" numeric,
	"goal" numeric NOT NULL,
	"occurred_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp (6) with time zone,
	"last_error_code" text,
	CONSTRAINT "slo_alert_deliveries_pkey" PRIMARY KEY("alert_id","alert_state"),
	CONSTRAINT "slo_alert_deliveries_state_check" CHECK (alert_state in ('firing', 'resolved'))
);
--> statement-breakpoint
ALTER TABLE "slo_alert_deliveries" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "slo_alerts" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"slo" text NOT NULL,
	"job_lane" text NOT NULL,
	"value" numeric,
	"goal" numeric NOT NULL,
	"fired_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"resolved_at" timestamp (6) with time zone,
	CONSTRAINT "slo_alerts_lane_check" CHECK (job_lane in ('fast_queue', 'ai_queue', 'background', 'all'))
);
--> statement-breakpoint
ALTER TABLE "slo_alerts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "slo_states" (
	"slo" text NOT NULL,
	"job_lane" text NOT NULL,
	"last_slot_at" timestamp (6) with time zone NOT NULL,
	"value" numeric,
	"goal" numeric NOT NULL,
	"missed_in_row" integer NOT NULL,
	"kept_in_row" integer NOT NULL,
	CONSTRAINT "slo_states_pkey" PRIMARY KEY("slo","job_lane"),
	CONSTRAINT "slo_states_lane_check" CHECK (job_lane in ('fast_queue', 'ai_queue', 'background', 'all'))
);
--> statement-breakpoint
ALTER TABLE "slo_states" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "system_notifications" DROP CONSTRAINT "system_notifications_kind_check";--> statement-breakpoint
ALTER TABLE "workers" ADD COLUMN "job_types" text[];--> statement-breakpoint
ALTER TABLE "slo_alert_deliveries" ADD CONSTRAINT "slo_alert_deliveries_alert_id_fkey" FOREIGN KEY ("alert_id") REFERENCES "public"."slo_alerts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "slo_alert_deliveries_open_idx" ON "slo_alert_deliveries" USING btree ("occurred_at") WHERE delivered_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "slo_alerts_open_key" ON "slo_alerts" USING btree ("slo","job_lane") WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX "slo_alerts_resolved_idx" ON "slo_alerts" USING btree ("resolved_at") WHERE resolved_at is not null;--> statement-breakpoint
ALTER TABLE "system_notifications" ADD CONSTRAINT "system_notifications_kind_check" CHECK (kind in ('access_offered', 'provider_access_requested', 'break_glass_used', 'account_closure_requested', 'export_ready', 'slo_missed'));