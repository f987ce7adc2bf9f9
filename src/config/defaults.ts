/**
 * What is taken where the configuration says nothing. The semantics are those of AWS's load
 * balancers and of Beanstalk; the times are shorter, because on one's own machines a start takes
 * seconds and nobody pays by the check. How traffic is treated: `model/traffic.ts`.
 */
export const DEFAULTS = {
  health: {
    path: '/',
    /** Beanstalk passes 200 alone; a redirect to a login page is alive too. */
    matcher: { from: 200, to: 399 },
    /** ALB 30 s, Beanstalk 15 s. */
    intervalMs: 5_000,
    /** ALB and Beanstalk 5 s. */
    timeoutMs: 2_000,
    /** ALB 5, Beanstalk 3: with 5 s between checks, two in a row are 10 s. */
    healthyThreshold: 2,
    /** ALB 2, Beanstalk 5. */
    unhealthyThreshold: 2,
  },
  capacity: {
    /** Beanstalk's MinSize. */
    min: 1,
    /** Beanstalk's MaxSize, unless more are desired. */
    max: 4,
    /** Two failure domains, as in a load-balanced environment. */
    zones: ['a', 'b'],
  },
  /** What `sticky: true` stands for: ALB's stickiness.lb_cookie.duration_seconds. */
  stickyMs: 86_400_000,
  /** Docker's and Kubernetes' are 10 s and 30 s. */
  stopGraceMs: 10_000,
  /** Beanstalk's DeregistrationDelay is 20 s, ALB's 300 s. */
  drainMs: 30_000,
  rolling: {
    batch: 1,
    /** Beanstalk's “rolling with additional batch”: capacity never falls below desired. */
    extra: 1,
    /** Beanstalk wants 12 checks in 2 minutes; the health check itself has passed by then. */
    healthyForMs: 200,
    startTimeoutMs: 60_000,
    keepMs: 0,
    /** Of blue-green, whose old fleet is there to go back to. */
    keepBlueMs: 300_000,
  },
  hook: {
    /** Beanstalk's command timeout. */
    timeoutMs: 600_000,
    /** What is left serves: a build must not slow down the fleet beside it. */
    cpu: 1,
    memoryBytes: 512 * 1024 ** 2,
    /** Bundlers take more than what they bundle; Heroku's build machines have 2.5 GB. */
    buildMemoryBytes: 2 * 1024 ** 3,
  },
  /** Of canary and linear. */
  share: {
    /** CodeDeploy's and Argo's first step. */
    percent: 10,
    /** CodeDeploy's Canary10Percent5Minutes. */
    bakeMs: 300_000,
    /** One failed request of so many is one in a hundred. */
    minRequests: 100,
    patienceMs: 3_600_000,
  },
} as const;
