import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedDaemon, scriptedDaemon } from './scripted-daemon.ts';
import { belay } from './scripted-terminal.ts';
import { daemonOf, environmentOf } from './scripted-views.ts';

let daemon: ScriptedDaemon;

beforeEach(async () => {
  daemon = scriptedDaemon({
    environments: { environments: [environmentOf()] },
    environment: environmentOf(),
    daemon: daemonOf(),
  });
  await daemon.start();
});
afterEach(() => daemon.close());

describe('completion', () => {
  test('for bash parses, and completes commands, families and flags', async () => {
    const { out } = await belay(daemon, ['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _belay; echo "\${COMPREPLY[*]}"`,
          '-',
          'belay',
          ...words,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('sta')).toBe('status');
    expect(complete('env', '')).toBe('list set unset');
    expect(complete('env', 'list', '--rev')).toBe('--reveal');
    expect(complete('edge', '--')).toBe('--json --help');
    expect(complete('env', '--')).toBe('--help');
    expect(complete('deploy', '--d')).toBe('--dry-run --detach');
  });

  test('for bash offers the instances there are', async () => {
    const { out } = await belay(daemon, ['completion', 'bash']);
    const script = `belay() { echo '{"instances":[{"id":"i-0000000a"},{"id":"i-0000000b"}]}'; }
${out}
COMP_WORDS=(belay instance standby i-); COMP_CWORD=3; _belay; echo "\${COMPREPLY[*]}"`;
    const offered = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim();
    expect(offered).toBe('i-0000000a i-0000000b');
  });

  test.each(['zsh', 'fish'])('for %s has every command', async (shell) => {
    const { code, out } = await belay(daemon, ['completion', shell]);
    expect(code).toBe(0);
    for (const word of ['up', 'deploy', 'upgrade', 'reveal']) expect(out).toContain(word);
  });
});
