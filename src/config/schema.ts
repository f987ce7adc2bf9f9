import { replacementHealths, terminationCriteria } from '../model/group.ts';
import { nameProblem, suggestName } from '../model/name.ts';
import { sizeNames } from '../model/size.ts';
import { type CommandLine, parseCommandLine } from './command.ts';
import { hookReaders } from './hook-readers.ts';
import { parseHostName } from './host-names.ts';
import { amount, duration, oneOf, path, positiveNumber, size, wholeNumber } from './leaves.ts';
import {
  describe,
  distinct,
  leaf,
  list,
  type ReadBy,
  type Reader,
  record,
  refusal,
  section,
  unlike,
} from './reader.ts';
import { scalingReader } from './scaling-readers.ts';
import { trafficReaders } from './traffic-readers.ts';
import { versionsReader } from './versions.ts';
import { timeZone, windows } from './window-readers.ts';

/**
 * From what users write (`spec.ts`) to values in milliseconds, bytes and words, key by key.
 * Bounds are those of the model.
 */

const MAX_INSTANCES = 10_000;
const MAX_CORES = 1024;
const LEAST_MEMORY_BYTES = 16 * 1024 * 1024;
const MAX_UPSTREAMS = 16;
const MAX_VARIABLE_LENGTH = 131_072;

const health = section({
  path: leaf(parseHealthPath),
  matcher: leaf(parseMatcher),
  interval: duration(100),
  timeout: duration(50),
  body: leaf((value) => {
    if (typeof value === 'string' && value !== '' && value.length <= 1_000) return value;
    throw unlike('a text of at most 1,000 characters', value, "'ok', say");
  }),
  deep: path("'/readyz'"),
  healthyThreshold: wholeNumber(1, 10),
  unhealthyThreshold: wholeNumber(1, 10),
  replace: oneOf('whose word counts', replacementHealths),
  grace: duration(),
});

const idleDuration = duration(1_000);

/** Null for `false`. */
const idle: Reader<number | null> = (value, keyPath, report) =>
  value === false ? null : idleDuration(value, keyPath, report);

const wait = section({
  heartbeat: duration(1_000),
  otherwise: oneOf('what is taken when nobody says anything', ['continue', 'abandon']),
});

const capacity = section({
  min: wholeNumber(0, MAX_INSTANCES),
  desired: wholeNumber(0, MAX_INSTANCES),
  max: wholeNumber(1, MAX_INSTANCES),
  zones: distinct(
    list("['a', 'b']", (item) => {
      if (typeof item !== 'string') throw unlike('a list of zone names', item, "['a', 'b']");
      checkName(item, 'has a zone ');
      return item;
    }),
  ),
  size: oneOf('a size', sizeNames),
  warm: wholeNumber(0, 1_000),
  terminate: distinct(
    list("['zone', 'oldest']", (item) => {
      const found = terminationCriteria.find((each) => each === item);
      if (found !== undefined) return found;
      throw unlike(
        'a list of criteria',
        item,
        `['zone', 'oldest'], out of ${terminationCriteria.join(', ')}`,
      );
    }),
  ),
  idle,
});

const web = section({
  start: leaf(parseStart),
  upstream: leaf(parseUpstreams),
  health,
  capacity,
  memory: size(LEAST_MEMORY_BYTES),
  cpu: positiveNumber('a number of cores', MAX_CORES, 0.5),
  concurrency: wholeNumber(1, 1_024),
  scaling: scalingReader,
  lifecycle: section({ launching: wait, terminating: wait }),
  env: record(
    checkVariableName,
    leaf((value) => {
      if (typeof value !== 'string')
        throw unlike('a string', value, `'${String(value)}' in quotes`);
      if (value.length <= MAX_VARIABLE_LENGTH && !value.includes('\0')) return value;
      throw refusal('is too long, or contains a NUL', 'put it in a file and name the file');
    }),
  ),
  stopGrace: duration(),
  drain: duration(),
});

const edge = section({
  domains: list("['shop.localhost']", parseHostName),
  ...trafficReaders,
});

const policy = oneOf('a deployment policy', [
  'rolling',
  'all-at-once',
  'immutable',
  'blue-green',
  'canary',
  'linear',
]);

const deployOptions = section({
  policy,
  batch: amount(1, MAX_INSTANCES),
  extra: amount(0, MAX_INSTANCES),
  healthyFor: duration(),
  startTimeout: duration(1_000),
  keep: duration(),
  percent: wholeNumber(1, 99),
  bake: duration(),
  minRequests: wholeNumber(1, 1_000_000_000),
  probes: list("['/', '/products']", parseProbe),
  patience: duration(),
  windows,
  timeZone,
});

/** What only some policies can be told. */
const optionsOf = {
  batch: ['rolling'],
  extra: ['rolling'],
  percent: ['canary', 'linear'],
  bake: ['canary', 'linear'],
  minRequests: ['canary', 'linear'],
  probes: ['canary', 'linear'],
  patience: ['canary', 'linear'],
} as const;

/** A policy's name alone stands for the policy with its defaults. */
const deploy: typeof deployOptions = (value, keyPath, report) => {
  if (typeof value === 'string') {
    const named = policy(value, keyPath, report);
    return named === undefined ? undefined : { policy: named };
  }
  const options = deployOptions(value, keyPath, report);
  const named = options?.policy ?? 'rolling';
  for (const [key, policies] of Object.entries(optionsOf)) {
    if (options?.[key as keyof typeof optionsOf] === undefined) continue;
    if (policies.some((each) => each === named)) continue;
    const what = `is set beside '${named}', which does not know it`;
    report({ keyPath: `${keyPath}.${key}`, what, hint: `it is for ${policies.join(' and ')}` });
  }
  return options;
};

const { build, hooks } = hookReaders(parseStart);

/** What can differ between environments. */
export const readEnvironment = section({ build, web, edge, deploy, hooks });

/** The whole file. */
export const readDefinition = section({
  name: leaf((value) => {
    if (typeof value !== 'string') throw unlike('a name', value, "app('my-app', { … })");
    return value;
  }),
  build,
  web,
  edge,
  deploy,
  hooks,
  versions: versionsReader,
  environments: record((name) => checkName(name, ''), readEnvironment),
});

export type Definition = ReadBy<typeof readDefinition>;
/** What can differ between environments. */
export type Layer = ReadBy<typeof readEnvironment>;

/** @throws when a variable cannot be set, because of its name or because Belay sets it */
export function checkVariableName(name: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const hint = 'use letters, digits and underscores, no digit first';
    throw refusal('is not the name of an environment variable', hint);
  }
  if (name === 'PORT' || name === 'HOST' || name.startsWith('BELAY_')) {
    throw refusal(
      'is set by Belay, for each instance its own',
      'leave it out, and read it in the program',
    );
  }
}

function parseStart(value: unknown): CommandLine {
  const example = "'node server.js' or ['node', 'server.js']";
  if (typeof value === 'string') {
    const line = parseCommandLine(value);
    for (const name of Object.keys(line.variables)) checkCommandVariable(name);
    return line;
  }
  if (!Array.isArray(value)) throw unlike('a command', value, example);
  const words = value.map((word: unknown) => {
    if (typeof word !== 'string') throw unlike('a list of strings', word, example);
    if (word.includes('\0')) throw refusal('contains a NUL', `write ${example}`);
    return word;
  });
  if ((words[0] ?? '') === '') throw refusal('names no program', `write ${example}`);
  return { variables: {}, command: words };
}

function checkCommandVariable(name: string): void {
  try {
    checkVariableName(name);
  } catch {
    throw refusal(`sets ${name}, which Belay sets for each instance`, `leave out ${name}=`);
  }
}

function parseUpstreams(value: unknown): string | string[] {
  if (!Array.isArray(value)) return parseUpstream(value);
  const upstreams = [...new Set(value.map(parseUpstream))];
  const [only] = upstreams;
  if (only === undefined) throw refusal('is an empty list', "write 'http://127.0.0.1:9001', say");
  if (upstreams.length > MAX_UPSTREAMS) {
    throw refusal(`has ${upstreams.length} addresses`, `write ${MAX_UPSTREAMS} at most`);
  }
  return upstreams.length === 1 ? only : upstreams;
}

/** `*` asks the server itself. */
function parseHealthPath(value: unknown): string {
  if (value === '*' || (typeof value === 'string' && value.startsWith('/'))) return value;
  throw unlike("a path that begins with '/'", value, "'/healthz', say");
}

function parseUpstream(value: unknown): string {
  const example = "'http://127.0.0.1:9001'";
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (!url) throw unlike('an address', value, example);
  if (url.protocol !== 'http:') {
    throw refusal(`is ${describe(value)}; only http:// is spoken to instances`, `write ${example}`);
  }
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw refusal(
      `is ${describe(value)}; only a host and a port are used`,
      `write '${url.origin}'`,
    );
  }
  return url.origin;
}

function parseMatcher(value: unknown): { from: number; to: number } {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(value));
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match && from <= to) return { from, to };
  throw unlike('a status code or a range of them', value, "'200' or '200-399'");
}

function parseProbe(value: unknown): string {
  if (typeof value !== 'string') throw unlike('a list of paths', value, "['/', '/products']");
  if (/^\/[!-~]*$/.test(value)) return value;
  throw refusal(
    `has '${value}', which is no path as a request would have it`,
    "write '/products', say, with what is not ASCII percent-encoded",
  );
}

function checkName(name: string, prefix: string): void {
  const problem = nameProblem(name);
  if (problem === null) return;
  const suggestion = suggestName(name);
  throw refusal(
    prefix === '' ? `${problem}` : `${prefix}'${name}', which ${problem}`,
    suggestion === '' ? 'use lower-case letters, digits and dashes' : `'${suggestion}' would do`,
  );
}
