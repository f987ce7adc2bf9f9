import type { FaultJson } from '../kernel/fault.ts';
import type { CacheRoom } from './cache.ts';
import type { Capacity, Limits } from './configuration.ts';
import type { BootCost, Deployment, DeploymentKind } from './deployment.ts';
import type { EdgeSettings } from './edge-settings.ts';
import type { EnvironmentHealth, EnvironmentStatus } from './environment.ts';
import type { Concern, Forecast } from './forecast.ts';
import type { Freeze } from './freeze.ts';
import type { InstanceState, InstanceWish } from './instance.ts';
import type { LifecycleAnswer, LifecycleTurn } from './instance-wait.ts';
import type { LedgerReading } from './ledger.ts';
import type { Receipt } from './receipt.ts';
import type { ScalingGlance } from './scaling-view.ts';
import type { SizeName } from './size.ts';
import type { JournalEntry } from './step.ts';
import type { DeepReport, TargetTraffic } from './target.ts';
import type { Ticket } from './ticket.ts';

/** What people and scripts see of the model. The names of these fields are an interface. */

export interface InstanceView {
  id: string;
  state: InstanceState;
  zone: string;
  release: number;
  version: string | null;
  /** The target's health at the edge; `unknown` while the edge has not said. */
  health: string;
  /** Why it is not healthy or not in service, in a sentence; empty otherwise. */
  reason: string;
  pid: number | null;
  port: number | null;
  startedAt: number;
  /** Scale-in passes it over. */
  isProtected: boolean;
  /** What somebody has asked of it and is not done; null: nothing. */
  wish: InstanceWish['kind'] | null;
  cpuPercent: number | null;
  rssBytes: number | null;
  /** How its limits are held. */
  limit: 'cgroup' | 'watched' | 'none';
  /** What its start took; null before it was in service. */
  boot: BootCost | null;
  /** Why the edge leaves it out for a while although it passes its checks; null when it does not. */
  ejection: string | null;
  /** What it says of what it depends on; null when it was not asked. */
  deep: DeepReport | null;
  /** What it waits for; null: nothing. */
  wait: WaitView | null;
}

/** An instance that waits for somebody's word: continue, abandon, or heartbeat for more time. */
export interface WaitView {
  turn: LifecycleTurn;
  since: number;
  /** When `otherwise` is taken for the answer. */
  endsAt: number;
  otherwise: LifecycleAnswer;
}

export interface FixedView extends Pick<InstanceView, 'health' | 'ejection' | 'deep'> {
  /** Why it is not healthy, in a sentence; empty otherwise. */
  reason: string;
}

export interface TrafficView {
  windowMs: number;
  requestsPerSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
  lost: number;
  appErrors: number;
  /** Answers of 5xx, the app's and the edge's own. */
  serverErrors: number;
}

/** All that has passed, at one moment; what passes is the difference of two. */
export interface TrafficReading {
  /** Milliseconds since the epoch. */
  at: number;
  environments: EnvironmentView[];
  ledger: LedgerReading;
  targets: TargetReading[];
  edge: NonNullable<DaemonView['edge']>;
}

export interface TargetReading extends TargetTraffic {
  /** Inside it now, over all workers. */
  inFlight: number;
  tunnels: number;
}

/** Of the release that is meant to run. */
export interface AllowanceView extends Limits {
  size: SizeName | null;
  /** Set by `belay scale --size`. */
  byCommand: boolean;
  /** What the machine has too little of for all that are wanted, or may be. */
  concerns: Concern[];
}

export interface EnvironmentView {
  application: string;
  environment: string;
  status: EnvironmentStatus;
  health: EnvironmentHealth;
  /** Why the health is what it is, in a sentence. */
  cause: string;
  release: number | null;
  version: string | null;
  url: string;
  /** The host names it answers to. */
  domains: string[];
  /** The environment whose names these are since a swap, as `application/name`; null: its own. */
  namesOf: string | null;
  capacity: Capacity;
  /** Since when nothing runs because nobody wants it; null: it is awake, or stopped. */
  asleepSince: number | null;
  /** What one instance may use; null where nothing runs by Belay. */
  allowance: AllowanceView | null;
  /** How it follows the load; null: no policy has a say. */
  scaling: ScalingGlance | null;
  /** Instances to be kept warm beyond those desired. */
  warm: number;
  instances: InstanceView[];
  /** The address that Belay did not start, as the edge sees it; null where there is none. */
  fixed: FixedView | null;
  traffic: TrafficView | null;
  /** The running deployment, else the last one. */
  deployment: DeploymentView | null;
  /** What waits for its turn, oldest first. */
  waiting: TicketView[];
  /** Null when nothing is frozen. */
  freeze: Freeze | null;
}

export interface DeploymentView
  extends Omit<Deployment, 'ledgerAtStart' | 'rollout' | 'capacityBefore'> {
  policy: string;
  fromVersion: string | null;
  toVersion: string | null;
  /** Of the version it leads to. */
  author: string | null;
  commit: string | null;
}

/** Either a deployment that has started or a place in the queue; neither when nothing would change. */
export interface Outcome {
  deployment: DeploymentView | null;
  ticket: TicketView | null;
  /** What is worth knowing of the deployment that has started, and stopped nobody; left out: nothing. */
  advice?: Concern[];
}

/** What `deploy --dry-run` tells, beside what would change. */
export interface ForecastView {
  policy: string;
  /** Null while another deployment runs: what it will leave behind is not known. */
  forecast: Forecast | null;
  /** Why it would be refused now; null where it would start. */
  hindrance: FaultJson | null;
  concerns: Concern[];
  /** What was assumed for want of something to go by. */
  assumptions: string[];
}

/** A place in the queue, without what is in the request. */
export interface TicketView extends Omit<Ticket, 'request'> {
  kind: DeploymentKind;
}

export interface DeploymentDetail extends DeploymentView {
  steps: JournalEntry[];
}

/** Two environments that have exchanged their host names. */
export interface SwapView {
  application: string;
  /** From this snapshot on, on every worker; null while the edge cannot be reached, and follows. */
  snapshot: number | null;
  environments: {
    environment: string;
    /** What it answers to now. */
    domains: string[];
    namesOf: string | null;
    /** What passed through it meanwhile; null where the edge could not be read. */
    receipt: Receipt | null;
  }[];
}

/** An environment that ended, and can be brought back. */
export interface TerminatedView {
  application: string;
  environment: string;
  /** Null where nobody noted it. */
  terminatedAt: number | null;
  /** What it last ran with success; null where that never was. */
  release: number | null;
  version: string | null;
}

export interface ReleaseView {
  number: number;
  version: string | null;
  reason: string;
  message: string | null;
  createdAt: number;
  current: boolean;
}

export interface EdgeSettingsView {
  settings: EdgeSettings;
  /** The snapshot that every edge worker routes by; null while the edge cannot be asked. */
  snapshot: number | null;
}

export interface WorkerView {
  pid: number;
  generation: number;
  snapshot: number;
  accepting: boolean;
  /** What it keeps of responses; left out: it does not say. */
  cacheMemory?: CacheRoom;
  /** What all workers keep on disk. */
  cacheDisk?: CacheRoom;
}

export interface DaemonView {
  pid: number;
  /** Belay's own version. */
  version: string;
  home: string;
  startedAt: number;
  edge: {
    pid: number;
    generation: number;
    snapshot: number;
    listeners: { host: string; port: number }[];
    workers: WorkerView[];
  } | null;
  runtime: string;
}
