CREATE TABLE "page_pictures" (
	"shell_file_id" uuid NOT NULL,
	"page_number" integer NOT NULL,
	"rotation" smallint NOT NULL,
	"width_px" integer NOT NULL,
	"mime_type" text NOT NULL,
	"storage_key" text NOT NULL,
	"created_at" timestamp (6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "page_pictures_pkey" PRIMARY KEY("shell_file_id","page_number","rotation","width_px","mime_type"),
	CONSTRAINT "page_pictures_storage_key_key" UNIQUE("storage_key"),
	CONSTRAINT "page_pictures_number_check" CHECK (page_number > 0)
);
--> statement-breakpoint
ALTER TABLE "page_pictures" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "page_pictures" ADD CONSTRAINT "page_pictures_shell_file_id_shell_files_id_fk" FOREIGN KEY ("shell_file_id") REFERENCES "public"."shell_files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "page_pictures_created_idx" ON "page_pictures" USING btree ("created_at");