/**
 * Streams, beside the table: server-sent events.
 *
 * `GET /v1/events/stream?environment=` — `id` is the event's number, `data` a BelayEvent; replays
 * from `Last-Event-ID`.
 * `GET /v1/applications/:application/environments/:environment/logs/stream?instance=` — `data` is
 * `{ instance, line }`; no replay.
 */
export const streams = {
  events: '/v1/events/stream',
  logs: '/v1/applications/:application/environments/:environment/logs/stream',
} as const;
