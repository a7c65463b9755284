CREATE TABLE "model_answers" (
	"shell_file_id" uuid NOT NULL,
	"question_hash" text NOT NULL,
	"patient_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"outcome" jsonb NOT NULL,
	"model_answered" text NOT NULL,
	"tokens_in" bigint NOT NULL,
	"tokens_out" bigint NOT NULL,
	"cost_usd" numeric(12, 6),
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_answers_pkey" PRIMARY KEY("shell_file_id","question_hash"),
	CONSTRAINT "model_answers_hash_check" CHECK (question_hash ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "model_answers_tokens_check" CHECK (tokens_in >= 0 and tokens_out >= 0)
);
--> statement-breakpoint
ALTER TABLE "model_answers" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ALTER COLUMN "model_answered" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ALTER COLUMN "cost_usd" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ADD COLUMN "refused_why" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ADD COLUMN "lines_unanswered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ADD COLUMN "characters_unanswered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "semantic_processing_sessions" ADD COLUMN "unanswered_why" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "model_answers" ADD CONSTRAINT "model_answers_shell_file_id_shell_files_id_fk" FOREIGN KEY ("shell_file_id") REFERENCES "public"."shell_files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "model_answers_patient_idx" ON "model_answers" USING btree ("patient_id","question_hash");--> statement-breakpoint
CREATE INDEX "model_answers_created_idx" ON "model_answers" USING btree ("created_at");