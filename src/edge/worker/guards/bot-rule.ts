import type { Guard } from '../../../model/guard.ts';
import type { OwnAnswer } from '../own-answers.ts';
import { guardAnswers } from './guard-answers.ts';

/** Who has been judged is remembered: browsers of one version say the same. */
const MOST_KNOWN = 1_000;
const LONGEST_KNOWN = 500;

/** Who may ask, by what clients call themselves. */
export class BotRule {
  private readonly rule: NonNullable<Guard['bots']>;
  /** Whether who calls himself so is refused. */
  private readonly known = new Map<string, boolean>();

  constructor(rule: NonNullable<Guard['bots']>) {
    this.rule = rule;
  }

  /** @param userAgent null where it is not there @returns null: it passes */
  refuse(userAgent: string | null): OwnAnswer | null {
    if (userAgent === null || userAgent === '') {
      return this.rule.nameless ? null : guardAnswers.nameless;
    }
    return (this.known.get(userAgent) ?? this.judge(userAgent)) ? guardAnswers.bot : null;
  }

  private judge(userAgent: string): boolean {
    const { refuse, allow } = this.rule;
    const name = userAgent.toLowerCase();
    const isOne = (parts: readonly string[]): boolean => parts.some((part) => name.includes(part));
    const isRefused = isOne(refuse) && !isOne(allow);
    if (userAgent.length > LONGEST_KNOWN) return isRefused;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    // A copy: a part of a head would keep all of it in memory.
    this.known.set(Buffer.from(userAgent, 'latin1').toString('latin1'), isRefused);
    return isRefused;
  }
}
