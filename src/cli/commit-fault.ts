import { type Commit, shortCommit } from '../bundle/commit.ts';
import { Fault } from '../kernel/fault.ts';
import { InputFault } from './exit-code.ts';

/**
 * What was thrown, with files named as git does, `1a2b3c4d5:belay.config.ts`: the directory that they
 * were written out to is gone by the time somebody reads it.
 */
export function asOfCommit(
  thrown: unknown,
  directory: string,
  { id }: Pick<Commit, 'id'>,
): unknown {
  if (!(thrown instanceof Fault)) return thrown;
  const name = (text: string) =>
    text.replaceAll(`${directory}/`, `${shortCommit(id)}:`).replaceAll(directory, shortCommit(id));
  const renamed = JSON.parse(JSON.stringify(thrown), (_, value: unknown) =>
    typeof value === 'string' ? name(value) : value,
  );
  const fields = { ...renamed, cause: thrown };
  return thrown instanceof InputFault ? new InputFault(fields) : new Fault(fields);
}
