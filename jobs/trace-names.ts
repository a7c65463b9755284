/** The span in which an upload put its file into the queue; whatever jobs do for the file happens within it. */
export const uploadedFile = (shellFileId: string): string => `uploaded ${shellFileId}`
