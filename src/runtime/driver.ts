import type { Limits, Variables } from '../model/configuration.ts';
import type { Exit } from '../model/instance.ts';

/**
 * A runtime keeps slots: each holds one instance. Which instance runs where is decided elsewhere;
 * a runtime only does as it is told, and tells the truth about what is there.
 */

export interface SlotSpec {
  /** The instance's id. */
  id: string;
  application: string;
  /** The environment's name within the application. */
  environment: string;
  release: number;
  zone: string;
  /** Absolute path of the unpacked version: the working directory. */
  directory: string;
  /** Run to its end before the program, with all that the program has; null: nothing is. */
  bootstrap: readonly string[] | null;
  /** Program and arguments; `$NAME` and `${NAME}` are expanded from the variables by the runtime. */
  command: readonly string[];
  /** Without PORT, HOST and BELAY_*, which the runtime adds. */
  variables: Variables;
  limits: Limits;
}

export interface SlotUsage {
  /** Share of one core over the last sample, in per cent; null before the second sample. */
  cpuPercent: number | null;
  rssBytes: number;
}

export interface Slot {
  id: string;
  environment: string;
  release: number;
  /** `running` from the start of the program to its end; then `exited` until removed. */
  state: 'running' | 'exited';
  /** The app's own process, null once it has exited. */
  pid: number | null;
  host: string;
  port: number;
  /** The port is open, and the listening socket belongs to the instance's own processes. */
  listening: boolean;
  startedAt: number;
  /** How long its bootstrap took; null while it has not passed, and where there is none. */
  bootstrapMs: number | null;
  exit: Exit | null;
  usage: SlotUsage | null;
  /** How limits are held: by the kernel, by watching, or there are none. */
  limit: 'cgroup' | 'watched' | 'none';
}

export interface RuntimeCapabilities {
  name: string;
  /** Slots outlive the process that made them. */
  adopts: boolean;
  /** Writes real logs that `logs` can read. */
  logs: boolean;
}

export interface LogQuery {
  /** The last so many lines. */
  tail: number;
}

export interface Runtime {
  readonly capabilities: RuntimeCapabilities;
  /** Finds the slots left by an earlier life and begins to watch. */
  start(): Promise<void>;
  /**
   * Makes sure the slot exists; a slot that is there already is left as it is, exited or not.
   *
   * @throws `command-not-found`, `not-executable`, `no-free-port`, `bad-command`
   */
  ensure(spec: SlotSpec): Promise<Slot>;
  /**
   * SIGTERM, then after `graceMs` SIGKILL, for the whole process tree, including what left the
   * group; frees the port and forgets the slot, keeping its log. Removing what is not there is done.
   */
  remove(id: string, graceMs: number): Promise<void>;
  /** The truth: every slot there is. */
  list(): Promise<Slot[]>;
  /** A hint that `list()` has changed. Returns how to stop listening. */
  watch(listener: () => void): () => void;
  /** Lines of an instance's log, oldest first, also after the instance is gone. */
  logs(id: string, query: LogQuery): Promise<string[]>;
  /** Follows an instance's log from its end. Ends when the signal does. */
  follow(id: string, signal: AbortSignal): AsyncIterable<string>;
  /** Lets go of the slots, which go on running where the runtime can. */
  close(): Promise<void>;
}
