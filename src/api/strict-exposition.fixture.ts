/**
 * For tests: reads Prometheus' text format and takes nothing that the format does not name. Every
 * family has help, a type and samples, together and once; no sample is there twice.
 */

export interface ParsedFamily {
  name: string;
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const HELP_LINE = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])*)$`);
const TYPE_LINE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE_LINE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? ([+-]Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);

export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: ParsedFamily | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, helpName, help = ''] = HELP_LINE.exec(line) ?? [];
    const [, typeName, type = ''] = TYPE_LINE.exec(line) ?? [];
    if (helpName !== undefined) {
      if (families.has(helpName)) throw new Error(`${helpName} is there twice`);
      current = { name: helpName, type: '', help, samples: [] };
      families.set(helpName, current);
    } else if (typeName !== undefined) {
      if (current?.name !== typeName || current.type !== '') throw new Error(`misplaced: ${line}`);
      current.type = type;
    } else if (current) {
      const sample = parseSample(line, current);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`there twice: ${line}`);
      seen.add(key);
      current.samples.push(sample);
    } else throw new Error(`before any family: ${line}`);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseSample(line: string, family: ParsedFamily): ParsedFamily['samples'][number] {
  const [, name = '', labelText = '', number = ''] = SAMPLE_LINE.exec(line) ?? [];
  const suffix = name.startsWith(family.name) ? name.slice(family.name.length) : null;
  const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (suffix === null || !suffixes.includes(suffix)) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, label = '', value = ''] of labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    if (label in labels) throw new Error(`a label twice: ${line}`);
    labels[label] = value.replace(/\\(.)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark));
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

function checkFamily({ name, type, help, samples }: ParsedFamily): void {
  if (type === '' || help === '' || samples.length === 0) throw new Error(`${name} is not whole`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`${name}: no _total`);
  if (type !== 'gauge' && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name} counts below 0`);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

/** Bounds rise, counts do not fall, and the last bucket is the count. */
function checkHistogram(name: string, samples: ParsedFamily['samples']): void {
  const counts = samples.filter((sample) => sample.name === `${name}_count`);
  for (const count of counts) {
    const same = (labels: Record<string, string>) =>
      Object.entries(count.labels).every(([label, value]) => labels[label] === value) &&
      Object.keys(labels).length === Object.keys(count.labels).length + 1;
    const buckets = samples.filter(({ labels }) => 'le' in labels && same(labels));
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')));
    const rises = buckets.every(
      ({ value }, index) =>
        index === 0 ||
        ((bounds[index] ?? 0) > (bounds[index - 1] ?? 0) &&
          value >= (buckets[index - 1]?.value ?? 0)),
    );
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY;
    if (!rises || !isWhole || buckets.at(-1)?.value !== count.value) {
      throw new Error(`${name} is no histogram`);
    }
  }
}
