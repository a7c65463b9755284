export const benchEndpoint = { provider: 'bench', endpoint: 'chat' } as const
