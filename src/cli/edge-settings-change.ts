import type { z } from 'zod';
import { Fault } from '../kernel/fault.ts';
import { type EdgeSettings, edgeSettingsSchema } from '../model/edge-settings.ts';
import { type EdgeSetting, edgeSettingsList, settingText, settingValue } from './edge-settings.ts';
import { InputFault } from './exit-code.ts';

/** Loaded when settings are changed, and not for help: schemas take long to load. */

interface Problem {
  setting: EdgeSetting;
  what: string;
  hint: string | undefined;
}

/** @returns the settings with what was written, by the settings' names, in their place
 *  @throws `bad-usage` with every problem at once */
export function changedSettings(
  current: EdgeSettings,
  written: ReadonlyMap<string, string>,
): EdgeSettings {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = { ...current };
  for (const setting of edgeSettingsList) {
    const text = written.get(setting.name);
    if (text === undefined) continue;
    const read = readSetting(setting, text);
    if (read instanceof Fault) problems.push({ setting, what: read.message, hint: read.hint });
    else values[setting.key] = read.value;
  }
  if (problems.length > 0) throw refused(problems);
  return edgeSettingsSchema.parse(values);
}

function readSetting(setting: EdgeSetting, text: string): { value: unknown } | Fault {
  try {
    const value = settingValue(setting, text);
    const schema: z.ZodType = edgeSettingsSchema.shape[setting.key];
    const checked = schema.safeParse(value);
    if (checked.success) return { value };
    return outOfBounds(setting, text, checked.error.issues);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
}

/** What the schema says, in the setting's own units. */
function outOfBounds(
  setting: EdgeSetting,
  text: string,
  issues: readonly z.core.$ZodIssue[],
): Fault {
  const shown = (bound: number | bigint) => settingText(setting, Number(bound));
  const [issue] = issues;
  const fault = (message: string, hint?: string) => new Fault({ code: 'bad-usage', message, hint });
  switch (issue?.code) {
    case 'too_small':
      return fault(`is ${text}; the least is ${shown(issue.minimum)}`);
    case 'too_big':
      return fault(`is ${text}; the most is ${shown(issue.maximum)}`);
    case 'invalid_value':
      return fault(`is '${text}', which is none of ${issue.values.join(', ')}`);
    case 'invalid_type':
      return fault(`cannot be ${text}`, `write a ${setting.placeholder}`);
    default: {
      const wrong = issue?.path.map((index) => text.split(',')[Number(index)]).join() || text;
      return fault(`has '${wrong.trim()}', which ${issue?.message ?? 'is not right'}`);
    }
  }
}

function refused(problems: readonly Problem[]): InputFault {
  const sentences = problems.map(
    ({ setting, what, hint }) => [`--${setting.name} ${what}`, hint] as const,
  );
  const [only] = sentences;
  if (only && sentences.length === 1) {
    return new InputFault({ code: 'bad-usage', message: only[0], hint: only[1] });
  }
  return new InputFault({
    code: 'bad-usage',
    message: [
      `${problems.length} settings are wrong; nothing was changed`,
      ...sentences.map(([what, hint]) => (hint === undefined ? what : `${what}: ${hint}`)),
    ].join('\n'),
    hint: 'see: belay edge set --help',
    details: {
      problems: problems.map(({ setting, what }) => ({ setting: setting.name, what })),
    },
  });
}
