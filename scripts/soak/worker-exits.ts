/** How a worker of the soak says why it ended; 1 is left to errors that nobody caught. */
export const exitCodes = { stopped: 0, startFailed: 20, stopFailed: 21 } as const
