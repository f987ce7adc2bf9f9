/** Somebody who keeps an app running and puts new versions of it in the place of old ones. */
export interface Deployer {
  name: string;
  port: number;
  /** The Host header its app is asked with. */
  host: string;
  instances: number;
  /** Resolves when it says that the version is deployed. */
  deploy(version: number): Promise<void>;
  stop(): Promise<void>;
}

/** What the program waits before it listens; its boot is that and Node's own. */
export const BOOT_MS = 300;

/**
 * The same for all: it answers with its version, listens after a while, and finishes what it has
 * begun when it is told to leave, by SIGTERM (ours) or SIGINT (PM2's).
 */
export const server = (version: number): string => `import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('v${version}'));
server.keepAliveTimeout = 75_000;
setTimeout(() => {
  server.listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'));
}, ${BOOT_MS});
const leave = () => server.close(() => process.exit(0));
process.once('SIGTERM', leave);
process.once('SIGINT', leave);
`;

export const manifest = (name: string): string =>
  `{ "name": "${name}", "private": true, "type": "module" }\n`;
