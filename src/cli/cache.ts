import { purgeCommand } from './cache-purge.ts';
import { statusCommand } from './cache-status.ts';
import type { CommandFamily } from './command.ts';

export const cacheFamily: CommandFamily = {
  name: 'cache',
  summary: 'what the edge keeps of answers: status, purge, warm, explain',
  commands: [statusCommand, purgeCommand],
  fallback: 'status',
};
