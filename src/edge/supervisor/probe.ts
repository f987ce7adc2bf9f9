import type { Clock } from '../../kernel/clock.ts';
import type { HealthCheck } from '../../model/configuration.ts';
import type { Target } from '../../model/snapshot.ts';
import { type Answer, ask, questionText } from './ask.ts';
import type { CheckResult } from './health.ts';

/** One health check: a fresh connection, one request, the status of the answer; its body if asked for. */

/** The longest part of an expected text that is repeated to people. */
const SHOWN_TEXT_LENGTH = 40;

export type Probe = (
  target: Pick<Target, 'host' | 'port'>,
  check: HealthCheck,
  signal: AbortSignal,
) => Promise<CheckResult>;

export function httpProbe(clock: Clock): Probe {
  return async (target, check, signal) => {
    const { path, timeoutMs, body } = check;
    const read = body === null ? 'nothing' : { until: body };
    return judge(await ask(clock, target, { path, timeoutMs, read }, signal), check);
  };
}

/** Whether a status is one that passes. */
export const matches = (status: number, { matcher }: Pick<HealthCheck, 'matcher'>): boolean =>
  status >= matcher.from && status <= matcher.to;

/** Reasons are ALB's: an answer that came and is wrong, be it by its text, is a mismatch. */
function judge(answer: Answer, check: HealthCheck): CheckResult {
  if (answer.kind === 'none') return { passed: false, ...answer.why };
  const answered = `answered ${answer.status} to ${questionText(check.path)}`;
  if (!matches(answer.status, check)) return mismatch(answered);
  if (check.body === null || answer.body.includes(check.body)) return { passed: true };
  if (answer.cutOff !== null) return { passed: false, ...answer.cutOff };
  return mismatch(`${answered} without '${shortened(check.body)}' in it`);
}

const mismatch = (description: string): CheckResult => ({
  passed: false,
  reason: 'Target.ResponseCodeMismatch',
  description,
});

const shortened = (text: string): string =>
  text.length > SHOWN_TEXT_LENGTH ? `${text.slice(0, SHOWN_TEXT_LENGTH)}…` : text;
