import type { Stage } from '../../db/schema/documents.ts'
import { codeVersion } from './pass2-code.ts'
import { findVersion } from './pass1-find.ts'
import { mapVersion } from './map/map-pages.ts'
import { narrateVersion } from './pass3-narrate.ts'
import { scanVersion } from './scan/scan-file.ts'
import { readVersion } from './read/read-file.ts'

/** Of the code of each stage; kept with a file's stages, so that what a better version should do again can be found. */
export const stageVersions: { readonly [Name in Stage]: string } = {
  security_scan: scanVersion,
  ocr: readVersion,
  spatial_mapping: mapVersion,
  pass1_find: findVersion,
  pass2_code: codeVersion,
  pass3_narrate: narrateVersion,
}
