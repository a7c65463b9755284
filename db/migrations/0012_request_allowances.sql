CREATE TABLE "request_allowances" (
	"caller_key" uuid PRIMARY KEY NOT NULL,
	"full_at" timestamp (6) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "request_allowances" ENABLE ROW LEVEL SECURITY;