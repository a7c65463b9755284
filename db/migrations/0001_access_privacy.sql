CREATE TABLE "failed_audit_events" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"audit_payload" jsonb NOT NULL,
	"occurred_at" timestamp (6) with time zone NOT NULL,
	"failure_code" text NOT NULL,
	"recovery_attempts" smallint DEFAULT 0 NOT NULL,
	"recovered_at" timestamp (6) with time zone,
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "failed_audit_events" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "system_notifications" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"account_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"patient_id" uuid,
	"subject_id" uuid NOT NULL,
	"read_at" timestamp (6) with time zone,
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "system_notifications_kind_check" CHECK (kind in ('access_offered', 'provider_access_requested', 'break_glass_used', 'account_closure_requested', 'export_ready'))
);
--> statement-breakpoint
ALTER TABLE "system_notifications" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "consent_purposes" (
	"purpose" text PRIMARY KEY NOT NULL,
	"holds_undecided" boolean NOT NULL,
	"description" text NOT NULL,
	CONSTRAINT "consent_purposes_purpose_check" CHECK (purpose in ('data_processing', 'outside_ocr', 'outside_ai', 'provider_access'))
);
--> statement-breakpoint
ALTER TABLE "consent_purposes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "patient_consents" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "patient_consents_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"patient_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"decision" text NOT NULL,
	"decided_by" uuid NOT NULL,
	"capacity" text NOT NULL,
	"policy_version" text,
	"expires_at" timestamp (6) with time zone,
	"decided_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "patient_consents_decision_check" CHECK (decision in ('granted', 'denied', 'withdrawn')),
	CONSTRAINT "patient_consents_capacity_check" CHECK (capacity in ('self', 'guardian'))
);
--> statement-breakpoint
ALTER TABLE "patient_consents" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "break_glass_accesses" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"account_id" uuid NOT NULL,
	"patient_id" uuid NOT NULL,
	"reason_code" text NOT NULL,
	"reason" text NOT NULL,
	"starts_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"ends_at" timestamp (6) with time zone NOT NULL,
	"ended_at" timestamp (6) with time zone,
	CONSTRAINT "break_glass_accesses_reason_code_check" CHECK (reason_code in ('emergency_care', 'safety_incident', 'legal_obligation', 'support_request')),
	CONSTRAINT "break_glass_accesses_reason_check" CHECK (length(btrim(reason)) between 10 and 500),
	CONSTRAINT "break_glass_accesses_time_check" CHECK (ends_at > starts_at and ends_at <= starts_at + interval '8 hours')
);
--> statement-breakpoint
ALTER TABLE "break_glass_accesses" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "patient_provider_access" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"patient_id" uuid NOT NULL,
	"provider_id" uuid NOT NULL,
	"status" text DEFAULT 'requested' NOT NULL,
	"purpose" text NOT NULL,
	"permission_level" text NOT NULL,
	"resource_types" text[] NOT NULL,
	"requested_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"decided_by" uuid,
	"decided_at" timestamp (6) with time zone,
	"starts_at" timestamp (6) with time zone,
	"ends_at" timestamp (6) with time zone,
	"revoked_at" timestamp (6) with time zone,
	CONSTRAINT "patient_provider_access_status_check" CHECK (status in ('requested', 'approved', 'declined', 'revoked')),
	CONSTRAINT "patient_provider_access_purpose_check" CHECK (purpose in ('treatment', 'second_opinion', 'care_coordination', 'emergency')),
	CONSTRAINT "patient_provider_access_level_check" CHECK (permission_level in ('read_only', 'read_write')),
	CONSTRAINT "patient_provider_access_resources_check" CHECK (resource_types <@ array['document', 'clinical', 'narrative'] and cardinality(resource_types) > 0),
	CONSTRAINT "patient_provider_access_approved_check" CHECK (status <> 'approved' or (starts_at is not null and ends_at > starts_at))
);
--> statement-breakpoint
ALTER TABLE "patient_provider_access" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "provider_registry" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"account_id" uuid,
	"display_name" text NOT NULL,
	"profession" text NOT NULL,
	"registration_authority" text NOT NULL,
	"registration_number" text NOT NULL,
	"verification_status" text DEFAULT 'unverified' NOT NULL,
	"verified_by" uuid,
	"verified_at" timestamp (6) with time zone,
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "provider_registry_account_key" UNIQUE("account_id"),
	CONSTRAINT "provider_registry_status_check" CHECK (verification_status in ('unverified', 'verified', 'suspended')),
	CONSTRAINT "provider_registry_display_name_check" CHECK (length(display_name) between 1 and 200),
	CONSTRAINT "provider_registry_profession_check" CHECK (length(profession) between 1 and 100),
	CONSTRAINT "provider_registry_authority_check" CHECK (length(registration_authority) between 1 and 100),
	CONSTRAINT "provider_registry_number_check" CHECK (length(registration_number) between 1 and 50)
);
--> statement-breakpoint
ALTER TABLE "provider_registry" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "account_closures" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"account_id" uuid NOT NULL,
	"status" text DEFAULT 'requested' NOT NULL,
	"requested_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"due_at" timestamp (6) with time zone NOT NULL,
	"cancelled_at" timestamp (6) with time zone,
	"purged_at" timestamp (6) with time zone,
	"evidence" jsonb,
	CONSTRAINT "account_closures_status_check" CHECK (status in ('requested', 'cancelled', 'purging', 'purged')),
	CONSTRAINT "account_closures_purged_check" CHECK ((status = 'purged') = (purged_at is not null and evidence is not null))
);
--> statement-breakpoint
ALTER TABLE "account_closures" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "data_exports" (
	"id" uuid PRIMARY KEY DEFAULT public.uuid_v7() NOT NULL,
	"patient_id" uuid NOT NULL,
	"requested_by" uuid,
	"status" text DEFAULT 'requested' NOT NULL,
	"job_id" uuid,
	"storage_key" text,
	"size_bytes" bigint,
	"sha256" text,
	"requested_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	"ready_at" timestamp (6) with time zone,
	"expires_at" timestamp (6) with time zone,
	CONSTRAINT "data_exports_storage_key_key" UNIQUE("storage_key"),
	CONSTRAINT "data_exports_status_check" CHECK (status in ('requested', 'ready', 'failed', 'expired')),
	CONSTRAINT "data_exports_ready_check" CHECK (status <> 'ready' or (storage_key is not null and size_bytes is not null and sha256 is not null and expires_at is not null))
);
--> statement-breakpoint
ALTER TABLE "data_exports" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "retention_rules" (
	"table_name" text PRIMARY KEY NOT NULL,
	"keep_days" integer,
	"basis" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "retention_rules" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "audit_log" DROP CONSTRAINT "audit_log_compliance_category_check";--> statement-breakpoint
ALTER TABLE "user_profiles" ALTER COLUMN "account_owner_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "profile_access_permissions" ADD COLUMN "capacity" text DEFAULT 'delegate' NOT NULL;--> statement-breakpoint
ALTER TABLE "user_profiles" ADD COLUMN "processing_restricted_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "user_profiles" ADD COLUMN "erased_at" timestamp (6) with time zone;--> statement-breakpoint
ALTER TABLE "system_notifications" ADD CONSTRAINT "system_notifications_account_id_users_id_fk" FOREIGN KEY ("account_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "patient_consents" ADD CONSTRAINT "patient_consents_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "patient_consents" ADD CONSTRAINT "patient_consents_purpose_consent_purposes_purpose_fk" FOREIGN KEY ("purpose") REFERENCES "public"."consent_purposes"("purpose") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "break_glass_accesses" ADD CONSTRAINT "break_glass_accesses_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "patient_provider_access" ADD CONSTRAINT "patient_provider_access_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "patient_provider_access" ADD CONSTRAINT "patient_provider_access_provider_id_provider_registry_id_fk" FOREIGN KEY ("provider_id") REFERENCES "public"."provider_registry"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "patient_provider_access" ADD CONSTRAINT "patient_provider_access_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provider_registry" ADD CONSTRAINT "provider_registry_account_id_users_id_fk" FOREIGN KEY ("account_id") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provider_registry" ADD CONSTRAINT "provider_registry_verified_by_users_id_fk" FOREIGN KEY ("verified_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_patient_id_user_profiles_id_fk" FOREIGN KEY ("patient_id") REFERENCES "public"."user_profiles"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "data_exports" ADD CONSTRAINT "data_exports_requested_by_users_id_fk" FOREIGN KEY ("requested_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "failed_audit_events_open_idx" ON "failed_audit_events" USING btree ("created_at") WHERE recovered_at is null;--> statement-breakpoint
CREATE INDEX "system_notifications_account_idx" ON "system_notifications" USING btree ("account_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "patient_consents_latest_idx" ON "patient_consents" USING btree ("patient_id","purpose","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "break_glass_accesses_account_idx" ON "break_glass_accesses" USING btree ("account_id","ends_at");--> statement-breakpoint
CREATE INDEX "break_glass_accesses_patient_idx" ON "break_glass_accesses" USING btree ("patient_id","starts_at");--> statement-breakpoint
CREATE UNIQUE INDEX "patient_provider_access_live_idx" ON "patient_provider_access" USING btree ("provider_id","patient_id") WHERE status in ('requested', 'approved');--> statement-breakpoint
CREATE INDEX "patient_provider_access_patient_idx" ON "patient_provider_access" USING btree ("patient_id","status");--> statement-breakpoint
CREATE UNIQUE INDEX "provider_registry_verified_number_idx" ON "provider_registry" USING btree ("registration_authority","registration_number") WHERE verification_status = 'verified';--> statement-breakpoint
CREATE UNIQUE INDEX "account_closures_open_idx" ON "account_closures" USING btree ("account_id") WHERE status in ('requested', 'purging');--> statement-breakpoint
CREATE INDEX "account_closures_due_idx" ON "account_closures" USING btree ("due_at") WHERE status in ('requested', 'purging');--> statement-breakpoint
CREATE INDEX "data_exports_patient_idx" ON "data_exports" USING btree ("patient_id","requested_at" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "data_exports_running_idx" ON "data_exports" USING btree ("patient_id") WHERE status = 'requested';--> statement-breakpoint
CREATE INDEX "data_exports_expiry_idx" ON "data_exports" USING btree ("expires_at") WHERE status = 'ready';--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_compliance_category_check" CHECK (compliance_category in ('clinical_data', 'document', 'consent_management', 'access_control', 'identity', 'usage', 'queue', 'configuration', 'privacy'));--> statement-breakpoint
ALTER TABLE "profile_access_permissions" ADD CONSTRAINT "profile_access_permissions_capacity_check" CHECK (capacity in ('delegate', 'guardian'));--> statement-breakpoint
ALTER TABLE "profile_access_permissions" ADD CONSTRAINT "profile_access_permissions_guardian_check" CHECK (capacity <> 'guardian' or permission_level = 'owner');--> statement-breakpoint
ALTER TABLE "user_profiles" ADD CONSTRAINT "user_profiles_owner_check" CHECK ((account_owner_id is null) = (erased_at is not null));--> statement-breakpoint
ALTER TABLE "account_subscriptions" ADD CONSTRAINT "account_subscriptions_dates_check" CHECK (effective_to >= effective_from);