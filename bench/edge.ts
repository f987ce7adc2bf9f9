import { checkAnswers } from './edge/answer-check.ts';
import { startBelay } from './edge/belay.ts';
import { compare } from './edge/comparison.ts';
import { cpuMeasures } from './edge/measures/cpu-per-request.ts';
import { download } from './edge/measures/download.ts';
import { idleConnections } from './edge/measures/idle-connections.ts';
import { latencyBeside } from './edge/measures/latency.ts';
import { workers } from './edge/measures/workers.ts';
import { startOrigin } from './edge/origin.ts';
import { peers } from './edge/peers.ts';

/**
 * The edge beside its peers, in one run and in turn, as ratios: `npm run bench:edge [-- OPTIONS]`.
 * docs/performance.md says what each measure is; `--help` says the options.
 */
await compare({
  command: 'bench:edge',
  title: 'edge',
  needs: [],
  measures: [
    ...cpuMeasures,
    download,
    workers,
    idleConnections,
    latencyBeside(['HAProxy'], 'half'),
  ],
  peers,
  shortPeers: ['HAProxy'],
  startOrigin,
  startOurs: startBelay,
  check: checkAnswers,
});
