import { request } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import { messageOf, systemCode } from '../../kernel/fault.ts';
import type { HealthCheck } from '../../model/configuration.ts';
import type { Target } from '../../model/snapshot.ts';
import type { CheckResult } from './health.ts';

/** One health check: a fresh connection, one GET, the status of the answer. */

/** Enough for any health page; more is cut off, since only the status counts. */
const MAX_BODY_BYTES = 64 * 1024;

export type Probe = (
  target: Pick<Target, 'host' | 'port'>,
  check: HealthCheck,
  signal: AbortSignal,
) => Promise<CheckResult>;

export function httpProbe(clock: Clock): Probe {
  return (target, check, signal) =>
    new Promise((resolve) => {
      const what = `GET ${check.path}`;
      const outgoing = request({
        host: target.host,
        port: target.port,
        path: check.path,
        agent: false,
        headers: { 'user-agent': 'Belay-HealthChecker/1', accept: '*/*', connection: 'close' },
        signal,
      });
      const deadline = clock.after(check.timeoutMs, () => {
        resolve({
          passed: false,
          reason: 'Target.Timeout',
          description: `no answer to ${what} within ${seconds(check.timeoutMs)}`,
        });
        outgoing.destroy();
      });
      outgoing.on('response', (response) => {
        resolve(judge(response.statusCode ?? 0, check, what));
        let receivedBytes = 0;
        response.on('data', (chunk: Buffer) => {
          receivedBytes += chunk.length;
          if (receivedBytes > MAX_BODY_BYTES) outgoing.destroy();
        });
      });
      outgoing.on('error', (error) => resolve(failed(error, what)));
      outgoing.on('close', () => deadline.cancel());
      outgoing.end();
    });
}

function judge(status: number, check: HealthCheck, what: string): CheckResult {
  if (status >= check.matcher.from && status <= check.matcher.to) return { passed: true };
  return {
    passed: false,
    reason: 'Target.ResponseCodeMismatch',
    description: `answered ${status} to ${what}`,
  };
}

function failed(error: Error, what: string): CheckResult {
  return { passed: false, reason: 'Target.FailedHealthChecks', description: sentence(error, what) };
}

function sentence(error: Error, what: string): string {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return `closed the connection without an answer to ${what}`;
  }
  if (code?.startsWith('HPE_')) return `answered ${what} with something that is not HTTP`;
  return `could not be reached: ${code ?? messageOf(error)}`;
}

const seconds = (ms: number): string => `${ms / 1000} s`;
