import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kernel/fault.ts';

export interface BenchOptions {
  /** Names of measures. */
  only: readonly string[];
  /** Names of peers. */
  peers: readonly string[];
  /** How long one load lasts. */
  seconds: number;
  /** How often each is measured; the median counts. */
  rounds: number;
}

const BAD_USAGE = 64;
/** Enough for the tables; `--short` is for a look. */
const FULL = { seconds: 4, rounds: 5 };
const SHORT = { seconds: 2, rounds: 3 };

/** What a command line may name. */
interface Choice {
  /** What `npm run` calls the bench. */
  command: string;
  measures: readonly string[];
  peers: readonly string[];
  /** Those that `--short` takes. */
  shortPeers: readonly string[];
}

/** Ends the process where the arguments are wrong, or ask for help. */
export function parseOptions(args: readonly string[], choice: Choice): BenchOptions {
  const { measures, peers, shortPeers } = choice;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        peers: { type: 'string' },
        short: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help(choice));
      process.exit(0);
    }
    const { seconds, rounds } = values.short ? SHORT : FULL;
    return {
      only: chosen('--only', values.only, measures) ?? measures,
      peers: chosen('--peers', values.peers, peers) ?? (values.short ? shortPeers : peers),
      seconds: positive('BELAY_BENCH_SECONDS') ?? seconds,
      rounds: positive('BELAY_BENCH_ROUNDS') ?? rounds,
    };
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n\n${help(choice)}`);
    process.exit(BAD_USAGE);
  }
}

const help = ({ command, measures, peers, shortPeers }: Choice): string =>
  `npm run ${command} [-- OPTIONS]

  --only NAMES    of these, with commas: ${measures.join(', ')}
  --peers NAMES   of these, with commas: ${peers.join(', ')}; '' for none
  --short         ${shortPeers.join(', ')} only, ${SHORT.rounds} rounds of ${SHORT.seconds} seconds
  --json          rows as JSON

BELAY_BENCH_SECONDS (${FULL.seconds}) and BELAY_BENCH_ROUNDS (${FULL.rounds}) say how long each load lasts, and how often each is
measured. BELAY_BENCH_PROFILE names a folder for CPU profiles of our workers.
`;

/** The names in a list with commas, as they are written in full; null where there is no list. */
function chosen(
  option: string,
  list: string | undefined,
  known: readonly string[],
): string[] | null {
  if (list === undefined) return null;
  return list
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const found = known.find((each) => each.toLowerCase() === name.trim().toLowerCase());
      if (found === undefined) {
        throw new Error(`${option}: there is no "${name}", only ${known.join(', ')}`);
      }
      return found;
    });
}

function positive(variable: string): number | null {
  const text = process.env[variable];
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${variable} is "${text}"; it should be a whole number from 1 on`);
  }
  return value;
}
