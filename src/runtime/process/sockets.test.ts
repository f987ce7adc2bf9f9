import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { holdsSocket, parseSockets, readListeningSockets } from './sockets.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const NONE = '00000000:0000';

function line(address: string, state: string, inode: number): string {
  return `   0: ${address} ${NONE} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
}

describe('the table of sockets', () => {
  it('tells the listening ones that a connection to 127.0.0.1 would reach', () => {
    const table = [
      HEAD,
      line('0100007F:4E20', '0A', 101),
      line('00000000:4E21', '0A', 102),
      line('00000000000000000000000000000000:4E22', '0A', 103),
      line('0000000000000000FFFF00000100007F:4E23', '0A', 104),
    ].join('\n');
    expect(parseSockets(table)).toEqual([
      { port: 20_000, inode: '101' },
      { port: 20_001, inode: '102' },
      { port: 20_002, inode: '103' },
      { port: 20_003, inode: '104' },
    ]);
  });

  it.each([
    ['a connection', line('0100007F:4E20', '01', 101)],
    ['one that has ended', line('0100007F:4E20', '06', 0)],
    ['one on another address', line('0200000A:4E20', '0A', 101)],
    ['one on ::1 alone', line('00000000000000000000000001000000:4E20', '0A', 101)],
    ['a line cut short', '   0: 0100007F:4E20 00000000:0000 0A'],
    ['an empty line', ''],
  ])('leaves out %s', (_, text) => {
    expect(parseSockets(`${HEAD}\n${text}\n`)).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('the sockets of this machine', () => {
  it.each([
    { family: 'tcp', host: '127.0.0.1' },
    { family: 'tcp', host: '0.0.0.0' },
  ] as const)('hold what listens at $host, and who holds it', async ({ family, host }) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    const [inode = ''] = readListeningSockets(family).get(port) ?? [];
    expect(holdsSocket([process.pid], inode)).toBe(true);
    expect(holdsSocket([process.ppid], inode)).toBe(false);
    client.destroy();
    server.close();
    await once(server, 'close');
    expect(readListeningSockets(family).has(port)).toBe(false);
  });

  it('are read to the last listening one, however many there are', async () => {
    const servers = Array.from({ length: 60 }, () => createServer().listen(0, '127.0.0.1'));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const sockets = readListeningSockets('tcp');
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    expect(ports.filter((port) => !sockets.has(port))).toEqual([]);
    for (const server of servers) server.close();
  });
});
