import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Exit } from '../model/instance.ts';
import type { Runtime, Slot, SlotSpec, SlotUsage } from './driver.ts';

/**
 * Instances that exist only as data, on a clock driven by hand: fleets of thousands in tests and
 * simulations. Nothing listens anywhere.
 */

/** What the program in a slot does, from its start on. */
export interface Behaviour {
  /** Of the bootstrap, where the slot has one. */
  bootstrapMs: number;
  /** From the start, or the end of the bootstrap, until its port listens; null: it never does. */
  bootMs: number | null;
  /** It ends by itself so long after its start, with this code; null: it stays. */
  exits: { afterMs: number; code: number } | null;
  /** From SIGTERM until it has ended; null: it does not hear it. */
  stopMs: number | null;
}

const wellBehaved: Behaviour = { bootstrapMs: 0, bootMs: 0, exits: null, stopMs: 0 };

export interface MemoryRuntimeOptions {
  clock: Clock;
  /** Decides per slot, and so per release. Without it everything is well-behaved. */
  behaviour?: (spec: SlotSpec) => Partial<Behaviour>;
}

export interface MemoryRuntime extends Runtime {
  /** Ends an instance from outside, as `kill` would. */
  kill(id: string, signal?: 'SIGKILL' | 'SIGTERM' | 'SIGSEGV'): void;
  /** What an instance is measured to use. Nobody is told, as with samples of real ones. */
  setUsage(id: string, usage: SlotUsage): void;
}

const FIRST_PORT = 20_000;
const LAST_PORT = 65_535;
const HOST = '127.0.0.1';

interface Held {
  /** Replaced, never changed: what `list` gave out stays as it was. */
  slot: Slot;
  behaviour: Behaviour;
  /** Called when the instance has ended. */
  ended: (() => void)[];
}

export function createMemoryRuntime(options: MemoryRuntimeOptions): MemoryRuntime {
  const { clock } = options;
  const slots = new Map<string, Held>();
  const removing = new Map<string, Promise<void>>();
  const logs = new Map<string, string[]>();
  const listeners = new Set<() => void>();
  const agenda = createAgenda(clock);
  let processes = 0;

  const notify = (): void => {
    for (const listener of listeners) listener();
  };

  const update = (held: Held, change: Partial<Slot>): void => {
    held.slot = { ...held.slot, ...change };
    notify();
  };

  const exit = (held: Held, how: Omit<Exit, 'at'>): void => {
    if (held.slot.state === 'exited') return;
    const ended: Exit = { ...how, at: clock.now() };
    update(held, { state: 'exited', pid: null, listening: false, usage: null, exit: ended });
    for (const tell of held.ended.splice(0)) tell();
  };

  const write = (held: Held, line: string): void => {
    const lines = logs.get(held.slot.id);
    if (lines) lines.push(line);
    else logs.set(held.slot.id, [line]);
  };

  const begin = (spec: SlotSpec): Held => {
    processes += 1;
    const slot: Slot = {
      id: spec.id,
      environment: spec.environment,
      release: spec.release,
      state: 'running',
      pid: processes,
      host: HOST,
      port: FIRST_PORT + ((processes - 1) % (LAST_PORT - FIRST_PORT + 1)),
      listening: false,
      startedAt: clock.now(),
      bootstrapMs: null,
      exit: null,
      usage: null,
      limit: 'none',
    };
    const behaviour = { ...wellBehaved, ...options.behaviour?.(spec) };
    const held: Held = { slot, behaviour, ended: [] };
    slots.set(spec.id, held);
    if (spec.bootstrap === null) schedule(held, behaviour);
    else bootstrap(held, behaviour);
    notify();
    return held;
  };

  const bootstrap = (held: Held, behaviour: Behaviour): void =>
    agenda.add(behaviour.bootstrapMs, () => {
      if (held.slot.state === 'exited') return;
      update(held, { bootstrapMs: behaviour.bootstrapMs });
      schedule(held, behaviour);
    });

  const schedule = (held: Held, { bootMs, exits }: Behaviour): void => {
    if (exits !== null) {
      const { afterMs, code } = exits;
      agenda.add(afterMs, () => exit(held, exitWith(code)));
    }
    if (bootMs === null) return;
    agenda.add(bootMs, () => {
      if (held.slot.state === 'exited') return;
      write(held, `listening on ${held.slot.port}`);
      update(held, { listening: true, usage: { cpuPercent: 0, rssBytes: 0 } });
    });
  };

  const killAfter = (held: Held, graceMs: number): void =>
    agenda.add(graceMs, () => exit(held, killedBy('SIGKILL')));

  const end = async (held: Held, graceMs: number): Promise<void> => {
    const { stopMs } = held.behaviour;
    if (held.slot.state === 'running') {
      const gone = new Promise<void>((resolve) => held.ended.push(resolve));
      if (stopMs !== null && stopMs <= graceMs) agenda.add(stopMs, () => exit(held, exitWith(0)));
      else killAfter(held, graceMs);
      await gone;
    }
    slots.delete(held.slot.id);
    notify();
  };

  return {
    capabilities: { name: 'memory', adopts: false, logs: false },
    async start() {},
    async ensure(spec) {
      await removing.get(spec.id);
      requireCommand(spec);
      return (slots.get(spec.id) ?? begin(spec)).slot;
    },
    remove(id, graceMs) {
      const under = removing.get(id);
      const held = slots.get(id);
      if (held === undefined) return under ?? Promise.resolve();
      if (under) {
        // What was asked for first has ended it by then, or not soon enough.
        killAfter(held, graceMs);
        return under;
      }
      const done = end(held, graceMs).finally(() => removing.delete(id));
      removing.set(id, done);
      return done;
    },
    async list() {
      return Array.from(slots.values(), (held) => held.slot);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async logs(id, { tail }) {
      return tail <= 0 ? [] : (logs.get(id)?.slice(-tail) ?? []);
    },
    async *follow(_id, signal) {
      if (signal.aborted) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
    async close() {
      listeners.clear();
      agenda.clear();
    },
    setUsage(id, usage) {
      const held = slots.get(id);
      if (held?.slot.state === 'running') held.slot = { ...held.slot, usage };
    },
    kill(id, signal = 'SIGKILL') {
      const held = slots.get(id);
      if (held) exit(held, killedBy(signal));
    },
  };
}

interface Agenda {
  add(delayMs: number, run: () => void): void;
  clear(): void;
}

/** One timer for each moment, however many thousand things fall due in it. */
function createAgenda(clock: Clock): Agenda {
  const moments = new Map<number, { runs: (() => void)[]; cancel: () => void }>();
  return {
    add(delayMs, run) {
      if (delayMs <= 0) return run();
      const at = clock.monotonic() + delayMs;
      const moment = moments.get(at);
      if (moment) {
        moment.runs.push(run);
        return;
      }
      const runs = [run];
      const timer = clock.after(delayMs, () => {
        moments.delete(at);
        for (const each of runs) each();
      });
      moments.set(at, { runs, cancel: () => timer.cancel() });
    },
    clear() {
      for (const { cancel } of moments.values()) cancel();
      moments.clear();
    },
  };
}

const exitWith = (code: number): Omit<Exit, 'at'> => ({
  code,
  signal: null,
  cause: `exited with code ${code}`,
});

const killedBy = (signal: string): Omit<Exit, 'at'> => ({
  code: null,
  signal,
  cause: `killed by ${signal}`,
});

function requireCommand(spec: SlotSpec): void {
  if (spec.command[0]) return;
  throw new Fault({ code: 'bad-command', message: 'the start command is empty', subject: spec.id });
}
