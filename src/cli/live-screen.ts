import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { listenForKeys } from './keys.ts';
import { openScreen } from './screen.ts';

/**
 * Draws on the whole screen, again with every update, until a key or an interrupt ends it. What is
 * wrong from the start has to be told before: the screen is given back as it was.
 *
 * @param frame what is to be seen now, line by line
 * @param updates until the signal
 * @param take makes what is to be seen of an update
 */
export async function showLive<Update>(
  context: Context,
  frame: () => string[],
  updates: (until: AbortSignal) => AsyncIterable<Update>,
  take: (update: Update) => void,
): Promise<number> {
  const { stdout, interrupt } = context;
  const leaving = new AbortController();
  let code: number = exitCodes.interrupted;
  const releaseKeys = listenForKeys(context, (key) => {
    if (key === 'q') code = exitCodes.ok;
    leaving.abort();
  });
  const screen = openScreen(stdout);
  const draw = () => screen.draw(frame());
  stdout.stream.on('resize', draw);
  try {
    draw();
    for await (const update of updates(AbortSignal.any([interrupt, leaving.signal]))) {
      take(update);
      draw();
    }
    return code;
  } finally {
    stdout.stream.off('resize', draw);
    screen.close();
    releaseKeys();
  }
}
