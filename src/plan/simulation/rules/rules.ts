import { decideScaling } from '../../scaling/decide.ts';
import type { Rule, RuleName, Setting } from '../rule.ts';
import { aws } from './aws.ts';
import { belay } from './belay.ts';
import { hpa } from './hpa.ts';
import { knative } from './knative.ts';

/** What the peers aim at can be set, as a share of what an instance can answer; ours is told that. */
const rules: Record<RuleName, (setting: Setting, target?: number) => Rule> = {
  belay: (setting) => belay(setting, decideScaling, false),
  'belay-predict': (setting) => belay(setting, decideScaling, true),
  aws,
  hpa,
  knative,
};

/** A rule at its beginning: it remembers nothing. */
export const ruleNamed = (name: RuleName, setting: Setting, target?: number): Rule =>
  rules[name](setting, target);
