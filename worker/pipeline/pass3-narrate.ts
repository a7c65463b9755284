/** Changes when the same events may be told otherwise. */
export const narrateVersion = '3'
