DROP INDEX "job_queue_claim_idx";--> statement-breakpoint
DROP INDEX "job_queue_idempotency_key";--> statement-breakpoint
ALTER TABLE "job_queue" ALTER COLUMN "fair_turn" DROP NOT NULL;--> statement-breakpoint
CREATE INDEX "job_queue_scheduled_idx" ON "job_queue" USING btree ("job_lane","scheduled_at") WHERE status = 'pending' and fair_turn is null;--> statement-breakpoint
CREATE INDEX "job_queue_claim_idx" ON "job_queue" USING btree ("job_lane","priority" DESC NULLS FIRST,"fair_turn","scheduled_at","id") WHERE status = 'pending' and fair_turn is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "job_queue_idempotency_key" ON "job_queue" USING btree ("idempotency_key") WHERE idempotency_key is not null;