import type { Access } from './access-log.ts';

/**
 * The lines of the access log. What comes from a client is escaped, so that none can end a line or
 * a field and make up others; every line is plain ASCII. Of the header fields only Referer and
 * User-Agent are written: Authorization and Cookie never are.
 */

/** Kept of what a client may make as long as it likes: the longest target by default. */
const MAX_FIELD_CHARS = 8_192;
/** What nginx writes for a client that left before it was answered. */
const CLIENT_CLOSED_REQUEST = 499;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

const REFERER = /^referer:/im;
const USER_AGENT = /^user-agent:/im;

/** @param now when it ended, wall clock */
export interface LineFormat {
  line(access: Access, now: number): string;
  /** Stands for lines for which there was no room. */
  dropped(count: number, now: number): string;
}

export const lineFormats: Record<'json' | 'combined', LineFormat> = {
  json: {
    line: (access, now) => {
      const { head, status, outcome, bodyBytes } = access;
      return jsonLine({
        at: new Date(now).toISOString(),
        client: access.client,
        method: head?.method ?? null,
        host: head?.host ?? null,
        target: head === null ? null : shortened(head.target),
        protocol: head === null ? null : `HTTP/1.${head.minorVersion}`,
        status,
        outcome,
        bodyBytes,
        durationMs: Math.round(access.durationMs * 1_000) / 1_000,
        environment: access.environment || null,
        instance: access.target,
        requestId: access.requestId || null,
        referer: fieldOf(access, REFERER),
        userAgent: fieldOf(access, USER_AGENT),
      });
    },
    dropped: (count, now) => jsonLine({ at: new Date(now).toISOString(), droppedLines: count }),
  },
  /** Apache's and nginx's. */
  combined: {
    line: (access, now) => {
      const { head, bodyBytes } = access;
      const asked =
        head === null
          ? '-'
          : `${head.method} ${quotable(shortened(head.target))} HTTP/1.${head.minorVersion}`;
      const referer = quotable(fieldOf(access, REFERER) ?? '-');
      const userAgent = quotable(fieldOf(access, USER_AGENT) ?? '-');
      const client = quotable(access.client).replaceAll(' ', '\\x20') || '-';
      return `${client} - - [${combinedTime(now)}] "${asked}" ${combinedStatus(access)} ${bodyBytes} "${referer}" "${userAgent}"\n`;
    },
    dropped: (count, now) =>
      `- - - [${combinedTime(now)}] "-" 000 0 "-" "belay dropped ${count} lines"\n`,
  },
};

const jsonLine = (fields: object): string =>
  `${JSON.stringify(fields).replace(/[^\x20-\x7e]/g, (char) => `\\u${hex(char, 4)}`)}\n`;

/** As nginx escapes: no quote and no backslash but ours are left. */
const quotable = (text: string): string =>
  text.replace(/[^\x20-\x7e]|["\\]/g, (char) => `\\x${hex(char, 2).toUpperCase()}`);

const hex = (char: string, digits: number): string =>
  char.charCodeAt(0).toString(16).padStart(digits, '0');

const shortened = (text: string): string =>
  text.length > MAX_FIELD_CHARS ? `${text.slice(0, MAX_FIELD_CHARS)}...` : text;

/** The value of the first header line of that name; null when there is none. */
function fieldOf({ head }: Access, name: RegExp): string | null {
  const found = head === null ? null : name.exec(head.fields);
  if (head === null || found === null) return null;
  const start = found.index + found[0].length;
  return shortened(head.fields.slice(start, head.fields.indexOf('\r\n', start)).trim());
}

function combinedStatus({ status, outcome }: Access): string {
  if (status !== 0) return String(status);
  return outcome === 'client-aborted' ? String(CLIENT_CLOSED_REQUEST) : '000';
}

/** `21/Nov/2026:12:00:39 +0000` */
function combinedTime(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
