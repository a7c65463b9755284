import { sql } from 'drizzle-orm'
import { boolean, check, foreignKey, index, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { createdAt, oneOf } from './columns.ts'

/** What a code is looked for. */
export const conceptDomains = [
  'condition',
  'procedure',
  'observation',
  'medication',
  'allergy',
  'immunization',
] as const
export type ConceptDomain = (typeof conceptDomains)[number]

/** The tables of the repository come as `packaged`; what an operator has imported stays when those change. */
export const terminologyOrigins = ['packaged', 'imported'] as const

export const terminologySystems = pgTable(
  'terminology_systems',
  {
    /** As codes are stored with facts: "SNOMED", "ICD-10-CM". */
    codeSystem: text().notNull(),
    title: text().notNull(),
    version: text().notNull(),
    licence: text().notNull(),
    /** The notice that has to travel with its content. */
    attribution: text().notNull(),
    origin: text({ enum: terminologyOrigins }).notNull(),
    /** sha256 of all that its rows were made from. */
    checksum: text().notNull(),
    loadedAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'terminology_systems_pkey', columns: [table.codeSystem] }),
    check('terminology_systems_origin_check', oneOf('origin', terminologyOrigins)),
    check('terminology_systems_checksum_check', sql`checksum ~ '^[0-9a-f]{64}$'`),
  ],
).enableRLS()

export const terminologyConcepts = pgTable(
  'terminology_concepts',
  {
    codeSystem: text().notNull(),
    code: text().notNull(),
    display: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'terminology_concepts_pkey', columns: [table.codeSystem, table.code] }),
    foreignKey({
      name: 'terminology_concepts_system_fk',
      columns: [table.codeSystem],
      foreignColumns: [terminologySystems.codeSystem],
    }).onDelete('cascade'),
  ],
).enableRLS()

/** The wordings of a concept, its display first. */
export const terminologySynonyms = pgTable(
  'terminology_synonyms',
  {
    codeSystem: text().notNull(),
    code: text().notNull(),
    /** 0 is the display. */
    ordinal: smallint().notNull(),
    /** What it is searched for; the allergy to a thing is found by the name of the thing among allergies alone. */
    domain: text({ enum: conceptDomains }).notNull(),
    term: text().notNull(),
    /** Folded and in order of the alphabet (`searchWords`): what a search compares. */
    words: text().notNull(),
    /** Says what the code says; not where it is narrower, or has another meaning as well. */
    isEquivalent: boolean().notNull(),
  },
  (table) => [
    primaryKey({ name: 'terminology_synonyms_pkey', columns: [table.codeSystem, table.code, table.ordinal] }),
    foreignKey({
      name: 'terminology_synonyms_concept_fk',
      columns: [table.codeSystem, table.code],
      foreignColumns: [terminologyConcepts.codeSystem, terminologyConcepts.code],
    }).onDelete('cascade'),
    check('terminology_synonyms_domain_check', oneOf('domain', conceptDomains)),
    index('terminology_synonyms_words_idx').using('hash', table.words),
    index('terminology_synonyms_full_text_idx').using(
      'gin',
      sql`to_tsvector('pg_catalog.simple'::regconfig, ${table.words})`,
    ),
    index('terminology_synonyms_trigram_idx').using('gin', sql`${table.words} extensions.gin_trgm_ops`),
  ],
).enableRLS()

export type TerminologySystem = typeof terminologySystems.$inferSelect
