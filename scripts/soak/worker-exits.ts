/** How a worker of the soak says why it ended; 1 is left to errors that nobody caught. */
export const exitCodes = { stopped: 0, startFailed: 20, stopFailed: 21 } as const

/** In its log, between starting and working: a connection that is lost before that may end the process. */
export const readyLine = 'ready'
