ALTER TABLE "system_notifications" ADD COLUMN "written_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
ALTER TABLE "shell_file_events" ADD COLUMN "written_by" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
CREATE INDEX "system_notifications_written_idx" ON "system_notifications" USING btree ("written_by");--> statement-breakpoint
CREATE INDEX "shell_file_events_written_idx" ON "shell_file_events" USING btree ("written_by");--> statement-breakpoint
CREATE INDEX "shell_file_events_patient_idx" ON "shell_file_events" USING btree ("patient_id","written_by");