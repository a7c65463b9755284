CREATE TABLE "terminology_concepts" (
	"code_system" text NOT NULL,
	"code" text NOT NULL,
	"display" text NOT NULL,
	CONSTRAINT "terminology_concepts_pkey" PRIMARY KEY("code_system","code")
);
--> statement-breakpoint
ALTER TABLE "terminology_concepts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "terminology_synonyms" (
	"code_system" text NOT NULL,
	"code" text NOT NULL,
	"ordinal" smallint NOT NULL,
	"domain" text NOT NULL,
	"term" text NOT NULL,
	"words" text NOT NULL,
	"is_equivalent" boolean NOT NULL,
	CONSTRAINT "terminology_synonyms_pkey" PRIMARY KEY("code_system","code","ordinal"),
	CONSTRAINT "terminology_synonyms_domain_check" CHECK (domain in ('condition', 'procedure', 'observation', 'medication', 'allergy', 'immunization'))
);
--> statement-breakpoint
ALTER TABLE "terminology_synonyms" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "terminology_systems" (
	"code_system" text NOT NULL,
	"title" text NOT NULL,
	"version" text NOT NULL,
	"licence" text NOT NULL,
	"attribution" text NOT NULL,
	"origin" text NOT NULL,
	"checksum" text NOT NULL,
	"loaded_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "terminology_systems_pkey" PRIMARY KEY("code_system"),
	CONSTRAINT "terminology_systems_origin_check" CHECK (origin in ('packaged', 'imported')),
	CONSTRAINT "terminology_systems_checksum_check" CHECK (checksum ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "terminology_systems" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "terminology_concepts" ADD CONSTRAINT "terminology_concepts_system_fk" FOREIGN KEY ("code_system") REFERENCES "public"."terminology_systems"("code_system") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "terminology_synonyms" ADD CONSTRAINT "terminology_synonyms_concept_fk" FOREIGN KEY ("code_system","code") REFERENCES "public"."terminology_concepts"("code_system","code") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "terminology_synonyms_words_idx" ON "terminology_synonyms" USING hash ("words");--> statement-breakpoint
CREATE INDEX "terminology_synonyms_full_text_idx" ON "terminology_synonyms" USING gin (to_tsvector('pg_catalog.simple'::regconfig, "words"));--> statement-breakpoint
CREATE INDEX "terminology_synonyms_trigram_idx" ON "terminology_synonyms" USING gin ("words" extensions.gin_trgm_ops);