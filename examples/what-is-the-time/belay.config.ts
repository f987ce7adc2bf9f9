import { app } from 'belay';

export default app('what-is-the-time', {
  web: {
    start: 'node server.js',
    health: { path: '/healthz' },
    capacity: { min: 2, desired: 3, max: 6, zones: ['a', 'b'] },
  },
});
