import { isIP } from 'node:net';

/** Whether it is an IP address, or a range of them: `10.0.0.0/8`, `::1`, `fd00::/8`. */
export function isAddressRange(value: string): boolean {
  const [address = '', length, ...more] = value.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    length === undefined ||
    (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128))
  );
}
