import { describe, expect, it } from 'vitest';
import { countedAs, plainAddress, readAddress } from './client-address.ts';
import { TrustedProxies, trustedProxies } from './trusted-proxies.ts';

describe('the address of a client', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
  ])('of %s is told as %s', (address, told) => expect(plainAddress(address)).toBe(told));

  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::10.1.2.3', '64:ff9b:0:0::/64'],
    // Not one client, though they share a /64.
    ['::ffff:a01:203', '10.1.2.3'],
    ['::ffff:10.1.2.4', '10.1.2.4'],
  ])('%s is counted as %s', (address, counted) => expect(countedAs(address)).toBe(counted));

  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3:4711', '10.1.2.3'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['unknown', null],
    ['_hidden', null],
    ['10.1.2.300', null],
    ['10.1.2.3, 10.1.2.4', null],
    ['', null],
    ['[]', null],
  ])('in "%s" is %s', (entry, address) => expect(readAddress(entry)).toBe(address));
});

describe('trusted proxies', () => {
  const proxies = new TrustedProxies([
    '10.0.0.0/8',
    '192.168.1.1',
    'fd00::/8',
    '::ffff:172.16.0.1',
  ]);

  it.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.168.1.1', true],
    ['192.168.1.2', false],
    ['fd12::1', true],
    ['fe80::1', false],
    ['172.16.0.1', true],
  ])('%s among them: %s', (address, among) => expect(proxies.has(address)).toBe(among));

  it.each<[string, string[], string]>([
    ['is the peer without hops', [], '10.0.0.1'],
    ['is the only hop', ['203.0.113.7'], '203.0.113.7'],
    ['is not what the client made up', ['1.2.3.4', '203.0.113.7'], '203.0.113.7'],
    ['is behind all that are trusted', ['1.2.3.4', '203.0.113.7', '10.0.0.9'], '203.0.113.7'],
    ['is the farthest where all are trusted', ['10.0.0.8', '10.0.0.9'], '10.0.0.8'],
    ['is who handed on what is no address', ['203.0.113.7', 'unknown', '10.0.0.9'], '10.0.0.9'],
    ['may come with a port', ['203.0.113.7:4711'], '203.0.113.7'],
  ])('the client behind them %s', (_, hops, client) =>
    expect(proxies.clientBehind(hops, '10.0.0.1')).toBe(client),
  );

  it('are the same from one snapshot to the next, unless they change', () => {
    expect(trustedProxies([], proxies)).toBeNull();
    expect(trustedProxies([...proxies.ranges], proxies)).toBe(proxies);
    expect(trustedProxies(['10.0.0.0/8'], proxies)).not.toBe(proxies);
  });
});
