import type { Socket } from 'node:net';
import type { RequestHead } from '../http/request-head.ts';

/**
 * The fields that tell an app who its client is. They replace whatever the client sent under these
 * names. The text is made once per connection and Host, because both rarely change.
 */
export class ForwardedFields {
  private readonly address: string;
  private readonly port: number;
  private host: string | null = null;
  private text = '';

  constructor(socket: Socket) {
    this.address = clientAddress(socket.remoteAddress ?? '');
    this.port = socket.localPort ?? 0;
  }

  /** The address the request comes from. @param _head null when it could not be read */
  clientOf(_head: RequestHead | null): string {
    return this.address;
  }

  forRequest({ host }: RequestHead): string {
    if (host === this.host) return this.text;
    this.host = host;
    const forClient = this.address.includes(':') ? `"[${this.address}]"` : this.address;
    this.text =
      `X-Forwarded-For: ${this.address}\r\n` +
      'X-Forwarded-Proto: http\r\n' +
      (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`) +
      `X-Forwarded-Port: ${this.port}\r\n` +
      `Forwarded: for=${forClient}${host === '' ? '' : `;host="${host}"`};proto=http\r\n`;
    return this.text;
  }
}

/** IPv4 clients of a dual-stack listener look like IPv6 ones. */
const clientAddress = (address: string): string =>
  address.startsWith('::ffff:') ? address.slice(7) : address;
