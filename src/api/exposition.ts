/**
 * Prometheus' text format, version 0.0.4: families of samples, each with its labels. An empty label
 * means the same as none, and is left out.
 */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  labels: Labels;
  value: number;
  /** Behind the family's name, for the parts of a histogram. */
  suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricFamily {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: readonly Sample[];
}

export function exposition(families: readonly MetricFamily[]): string {
  return families.flatMap(linesOf).join('');
}

function linesOf({ name, type, help, samples }: MetricFamily): string[] {
  if (samples.length === 0) return [];
  return [
    `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n`,
    `# TYPE ${name} ${type}\n`,
    ...samples.map(
      ({ labels, value, suffix = '' }) =>
        `${name}${suffix}${labelsText(labels)} ${numberText(value)}\n`,
    ),
  ];
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
