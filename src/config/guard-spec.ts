/**
 * Who may ask for some paths. The first whose path matches counts; `*` stands for any characters.
 * `false`: nothing is guarded.
 */
export type GuardsSpec = false | Record<string, GuardSpec>;

/** Of one path; `false` for one that a later rule would guard. */
export type GuardSpec = false | GuardOptions;

export interface GuardOptions {
  /** Only with a token that `belay sign` or the app has made. Default `false`. */
  signed?: boolean;
  /**
   * Whose pages may embed it, besides the environment's own: `['*.partner.example']`; `true` for no
   * others. Default: anybody's.
   */
  referers?: boolean | string[] | ReferersSpec;
  /** Who may not, by parts of User-Agent: `['GPTBot', 'CCBot']`. Default: anybody may. */
  bots?: string[] | BotsSpec;
  /** Requests of one client address (IPv6 by /64), for each edge worker; more get 429. */
  rate?: number | RateSpec;
}

export interface ReferersSpec {
  /** Besides the environment's own. `'*.partner.example'` for one label below. */
  hosts?: string[];
  /** Refuse what names no page too: bookmarks, downloads, apps. Default `false`. */
  strict?: boolean;
}

export interface BotsSpec {
  /** Parts of names, whatever their case. */
  refuse?: string[];
  /** Parts of the names of those that may although one of their parts is refused. */
  allow?: string[];
  /** Whether those may that send no User-Agent. Default `true`. */
  nameless?: boolean;
}

export interface RateSpec {
  requestsPerSecond: number;
  /** How many of them at once. Default: those of one second. */
  burst?: number;
}
