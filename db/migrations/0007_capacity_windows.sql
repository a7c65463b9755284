CREATE TABLE "api_daily_use" (
	"rate_limit_id" uuid NOT NULL,
	"day" date NOT NULL,
	"requests" integer NOT NULL,
	"tokens" bigint NOT NULL,
	"cost_usd" numeric(14, 6) DEFAULT '0' NOT NULL,
	CONSTRAINT "api_daily_use_pkey" PRIMARY KEY("rate_limit_id","day")
);
--> statement-breakpoint
ALTER TABLE "api_daily_use" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "window_ms" integer DEFAULT 60000 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "requests_per_day" integer;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "tokens_per_day" bigint;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "budget_usd_per_day" numeric(12, 2);--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "reported_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "line_slot" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "line_requests" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD COLUMN "line_tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_daily_use" ADD CONSTRAINT "api_daily_use_rate_limit_id_api_rate_limits_id_fk" FOREIGN KEY ("rate_limit_id") REFERENCES "public"."api_rate_limits"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_rate_limits" ADD CONSTRAINT "api_rate_limits_window_check" CHECK (window_ms between 1000 and 60000);