ALTER TABLE "patient_provider_access" DROP CONSTRAINT "patient_provider_access_patient_id_user_profiles_id_fk";
--> statement-breakpoint
CREATE INDEX "patient_provider_access_asked_idx" ON "patient_provider_access" USING btree ("provider_id","requested_at");