import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { systemClock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Configuration } from '../model/configuration.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import { parseName, suggestName } from '../model/name.ts';
import { readConfigurationFile, refuseBad } from './configuration-file.ts';
import { type DetectedStart, type Detection, detectStart, unreadable } from './detect.ts';
import type { Complaint } from './reader.ts';
import { type Provenance, resolveConfiguration } from './resolve.ts';
import { checkVariableName, type Definition } from './schema.ts';
import { resolveLifecycle } from './versions.ts';

export interface LoadedConfiguration {
  application: string;
  environment: string;
  configuration: Configuration;
  /** Of the application as a whole. */
  lifecycle: Lifecycle;
  /** Where each value comes from, by the path users write: `web.capacity.min`. */
  provenance: Record<string, Provenance>;
  /** What was found in the directory and what was made of it, in order. */
  detection: Detection[];
  /** The configuration file; null when there is none. */
  file: string | null;
}

/**
 * Loads what a directory says about one environment of its application, or finds out where it says
 * nothing. A configuration with problems is refused whole, all of them told.
 *
 * @throws `config-invalid` or `bad-name` (`details.problems`), `config-syntax`, `config-threw`,
 *   `config-unreadable`, `no-start-command`
 */
export function loadConfiguration(directory: string, environment: string): LoadedConfiguration {
  parseName('environment', environment);
  const root = resolve(directory);
  checkDirectory(root);
  const file = readConfigurationFile(root);
  const application = file?.definition.name ?? nameOfDirectory(root);
  const looking = !file?.problems.length && needsDetection(file?.definition, environment);
  const { start, detection } = looking ? detect(root) : { start: null, detection: [] };

  const definition = file?.definition ?? {};
  const now = systemClock.now();
  const resolveFor = (name: string) =>
    resolveConfiguration({ application, environment: name, definition, detected: start, now });
  if (file) {
    // Every environment is checked, not only the one asked for: a file is good or it is not.
    const names = new Set([environment, ...Object.keys(definition.environments ?? {})]);
    refuseBad(file, distinct([...names].flatMap((name) => resolveFor(name).complaints)));
  }
  const { configuration, provenance } = resolveFor(environment);
  if (!configuration) throw noStartCommand(root, file?.path ?? null, detection);
  const versions = resolveLifecycle(definition);
  return {
    application,
    environment,
    configuration,
    lifecycle: versions.lifecycle,
    provenance: { ...provenance, ...versions.provenance },
    detection,
    file: file?.path ?? null,
  };
}

function checkDirectory(root: string): void {
  try {
    if (statSync(root).isDirectory()) return;
  } catch (cause) {
    throw unreadable(root, cause);
  }
  throw unreadable(root, Object.assign(new Error(), { code: 'ENOTDIR' }));
}

/** A contradiction at the top level shows in every environment, and is told once. */
function distinct(complaints: readonly Complaint[]): Complaint[] {
  const byText = new Map(complaints.map((one) => [`${one.keyPath} ${one.what}`, one]));
  return [...byText.values()];
}

function nameOfDirectory(root: string): string {
  const name = suggestName(basename(root));
  if (name !== '') return name;
  throw new Fault({
    code: 'bad-name',
    message: `no application name can be made of the directory's, '${basename(root)}'`,
    subject: root,
    hint: "give it one in belay.config.ts: export default app('my-app', {})",
  });
}

/** The override, or the file, may say how to start it; then nothing is looked for. */
function needsDetection(definition: Definition | undefined, environment: string): boolean {
  const specs = [definition, definition?.environments?.[environment]];
  return !specs.some((spec) => spec?.web?.start ?? spec?.web?.upstream);
}

function detect(root: string): DetectedStart {
  const found = detectStart(root);
  for (const name of Object.keys(found.start?.variables ?? {})) {
    try {
      checkVariableName(name);
    } catch (thrown) {
      const [source] = found.detection.slice(-1);
      throw new Fault({
        code: 'config-invalid',
        message: `the start command sets ${name}, which ${messageOf(thrown)}`,
        subject: source && join(root, source.what),
        hint: `leave out ${name}=, or write web.start in belay.config.ts`,
      });
    }
  }
  return found;
}

function noStartCommand(root: string, file: string | null, detection: Detection[]): Fault {
  const seen = detection.map(({ what, why }) => `${what}: ${why}`);
  return new Fault({
    code: 'no-start-command',
    message: ['nothing here says how to start the app', ...seen].join('\n'),
    subject: file ?? root,
    hint:
      file === null
        ? "add a Procfile with 'web: node server.js', a start script in package.json, an index.html, or a belay.config.ts"
        : "write web: { start: 'node server.js' }, or add a Procfile or a start script in package.json",
    details: { detection },
  });
}
