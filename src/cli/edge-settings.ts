import { formatDuration, parseDuration } from '../config/duration.ts';
import { formatSize, parseSize } from '../config/size.ts';
import { Fault } from '../kernel/fault.ts';
import type { EdgeSettings } from '../model/edge-settings.ts';

/** The settings of the edge as people write them: their names, their units. */

type Kind = 'count' | 'size' | 'duration' | 'word' | 'list';

export interface EdgeSetting {
  key: keyof EdgeSettings;
  /** `trusted-proxies`: behind two dashes, the flag. */
  name: string;
  kind: Kind;
  /** What stands for a value in help. */
  placeholder: string;
  description: string;
}

/** Stands for no bound, no zone, an empty list, no room at all. */
const NONE = 'none';

const setting = (
  key: keyof EdgeSettings,
  name: string,
  kind: Kind,
  placeholder: string,
  description: string,
): EdgeSetting => ({ key, name, kind, placeholder, description });

export const edgeSettingsList: readonly EdgeSetting[] = [
  setting('workers', 'workers', 'count', 'n', 'processes that serve'),
  setting('zone', 'zone', 'word', 'name', 'where the edge stands: instances there are preferred'),
  setting(
    'trustedProxies',
    'trusted-proxies',
    'list',
    'ranges',
    'peers whose X-Forwarded-* are believed: 10.0.0.0/8,::1',
  ),
  setting(
    'accessLog',
    'access-log',
    'word',
    'form',
    'a line for each request: off, json, combined',
  ),
  setting('headBytes', 'head-size', 'size', 'size', 'the largest head of a request or an answer'),
  setting('targetBytes', 'url-size', 'size', 'size', 'the longest path with its query'),
  setting('fields', 'header-fields', 'count', 'n', 'the most fields in a head'),
  setting(
    'headMs',
    'head-timeout',
    'duration',
    'time',
    'from the first byte of a head to its last',
  ),
  setting(
    'idleMs',
    'idle-timeout',
    'duration',
    'time',
    'between two requests of a client’s connection',
  ),
  setting(
    'bodyProgressMs',
    'body-timeout',
    'duration',
    'time',
    'without a byte of a body that is on its way',
  ),
  setting('connections', 'connections', 'count', 'n', 'open connections of clients, each worker'),
  setting(
    'connectionsPerClient',
    'connections-per-client',
    'count',
    'n',
    'of one client address, each worker',
  ),
  setting(
    'cacheMemoryBytes',
    'cache-memory',
    'size',
    'size',
    'what is kept of answers in memory, each worker',
  ),
  setting(
    'cacheDiskBytes',
    'cache-disk',
    'size',
    'size',
    'what is kept of them on disk, all workers; none for nothing',
  ),
];

/** As it would have to be written. */
export function settingText(
  { kind }: EdgeSetting,
  value: EdgeSettings[keyof EdgeSettings],
): string {
  if (value === null) return NONE;
  if (Array.isArray(value)) return value.length === 0 ? NONE : value.join(',');
  if (typeof value === 'string') return value;
  if (kind === 'size') return value === 0 ? NONE : formatSize(value);
  return kind === 'duration' ? formatDuration(value) : String(value);
}

/** The value of a text; whether the edge can go by it is for the schema to say. */
export function settingValue({ kind }: EdgeSetting, text: string): unknown {
  if (text === NONE) return noneOf(kind);
  switch (kind) {
    case 'count':
      return readCount(text);
    case 'size':
      return parseSize(text);
    case 'duration':
      return parseDuration(text);
    case 'list':
      return text.split(',').map((item) => item.trim());
    case 'word':
      return text;
  }
}

function noneOf(kind: Kind): unknown {
  if (kind === 'list') return [];
  return kind === 'size' ? 0 : null;
}

function readCount(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new Fault({
    code: 'bad-usage',
    message: `is '${text}', which is not a whole number`,
    hint: 'write it in digits, as in 20',
  });
}
