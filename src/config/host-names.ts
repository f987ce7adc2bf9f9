import { refusal, unlike } from './reader.ts';

/** Host names as users write them, in lists. */

const HOST_NAME = /^(\*|(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)$/;

/** @throws when it is none in lower case, nor `*.` before one, nor `*` */
export function parseHostName(value: unknown): string {
  if (typeof value !== 'string') throw unlike('a list of host names', value, "['shop.localhost']");
  if (value.length <= 253 && HOST_NAME.test(value)) return value;
  const bare = value
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[:/].*$/, '');
  throw refusal(
    `has '${value}', which is not a host name in lower case`,
    HOST_NAME.test(bare) ? `write '${bare}'` : "write 'shop.localhost', '*.shop.localhost' or '*'",
  );
}
