import { explainCommand } from './cache-explain.ts';
import { purgeCommand } from './cache-purge.ts';
import { statusCommand } from './cache-status.ts';
import { warmCommand } from './cache-warm.ts';
import type { CommandFamily } from './command.ts';

export const cacheFamily: CommandFamily = {
  name: 'cache',
  summary: 'what the edge keeps of answers: status, purge, warm, explain',
  commands: [statusCommand, purgeCommand, warmCommand, explainCommand],
  fallback: 'status',
};
