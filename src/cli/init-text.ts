import type { CommandLine } from '../config/command.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { formatDuration } from '../config/duration.ts';

/** `static`: the small file server that comes with Belay; null: nothing says how. */
type Start = CommandLine | 'static' | null;

const PLAIN_WORD = /^[\w./:@%+,=$-]+$/;

/** The text of a new configuration: what was found as code, what else there is as comments. */
export function newConfiguration(application: string, start: Start): string {
  const { health, capacity, rolling } = DEFAULTS;
  const zones = capacity.zones.map((zone) => `'${zone}'`).join(', ');
  return `import { app, rolling } from 'belay';

// Everything that is left out has a default: belay config shows it, and where it comes from.
export default app('${application}', {
  web: {
    // The program and its arguments; no shell runs it. It gets PORT and HOST, and listens there.
    ${startLine(start)}
${envLines(start)}
    // Asked on every instance; only those that pass take traffic.
    health: { path: '${health.path}' },

    // How many instances, in which failure domains.
    capacity: { min: 2, max: ${capacity.max}, zones: [${zones}] },

    // The most one instance may use.
    // memory: '256mb',
    // cpu: 0.5,
  },

  // Host names; without them, ${application}.localhost.
  // edge: { domains: ['${application}.localhost'] },

  // How a new version comes into service, without losing a request.
  deploy: rolling({ batch: ${rolling.batch}, extra: ${rolling.extra}, healthyFor: '${formatDuration(rolling.healthyForMs)}' }),

  // What single environments have different: belay up -e staging
  environments: {
    staging: { web: { capacity: { min: 1, max: 1 } } },
  },
});
`;
}

function startLine(start: Start): string {
  if (start === 'static')
    return "// Left out: index.html is served by a small file server of Belay's own.";
  if (!start) return "start: 'node server.js', // Nothing here says how: change this.";
  // As people would write it, where that means the same.
  if (start.command.every((word) => PLAIN_WORD.test(word))) {
    return `start: '${start.command.join(' ')}',`;
  }
  return `start: [${start.command.map((word) => JSON.stringify(word)).join(', ')}],`.replaceAll(
    /"([^"'\\]*)"/g,
    "'$1'",
  );
}

function envLines(start: Start): string {
  const variables = typeof start === 'object' ? Object.entries(start?.variables ?? {}) : [];
  if (variables.length === 0) return "    // env: { LOG_LEVEL: 'info' },\n";
  const pairs = variables.map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `    env: { ${pairs.join(', ')} },\n`;
}
