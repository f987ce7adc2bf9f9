import type { Socket } from 'node:net';
import { flat } from '../http/latin1.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import { countedAs, plainAddress } from './client-address.ts';
import { MOST_HOPS, type ReceivedForwarding, readForwarding } from './received-forwarding.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** In Forwarded, what is not about the client itself (RFC 7239). */
const HOST_OR_PROTO = /\b(?:host|proto)\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,\s]*)/gi;

/**
 * The fields that tell an app who its client is. They replace whatever the client sent under these
 * names, unless it is a trusted proxy: then they are added to. For others the text is made once per
 * connection and Host, because both rarely change.
 */
export class ForwardedFields {
  private readonly peer: string;
  private readonly port: number;
  private host: string | null = null;
  private text = '';
  /** Who was trusted when the peer was last looked up, and whether it is one of them. */
  private proxies: TrustedProxies | null = null;
  private trusted = false;
  /** What a trusted peer says of the request it is on; null for others. */
  private received: ReceivedForwarding | null = null;
  /** Of the request it is on. */
  private client: string;
  private counted: string | null = null;

  constructor(socket: Socket) {
    this.peer = plainAddress(socket.remoteAddress ?? '');
    this.client = this.peer;
    this.port = socket.localPort ?? 0;
  }

  /** To be called for every request first. @param proxies who is trusted; null for nobody */
  receive(head: RequestHead, proxies: TrustedProxies | null): Refusal | null {
    if (proxies !== this.proxies) this.lookUp(proxies);
    return this.trusted && proxies !== null ? this.take(head, proxies) : null;
  }

  /** The address the request comes from. @param head null when it could not be read */
  clientOf(head: RequestHead | null): string {
    return head === null ? this.peer : this.client;
  }

  /** What the client of the request is counted by. */
  get countedAs(): string {
    this.counted ??= countedAs(this.client);
    return this.counted;
  }

  /** That a trusted peer has given the request; null for none. */
  get requestId(): string | null {
    return this.received === null ? null : this.received.requestId;
  }

  /**
   * The address the request is for, with all that apps are told of it: a trusted proxy may have had
   * another, and may have handed on what it did not read itself.
   */
  addressed(host: string): string {
    const { received } = this;
    if (received === null) return host;
    const { proto, host: toldHost, port, forwarded } = received;
    const elsewhere = forwarded === '' ? '' : (forwarded.match(HOST_OR_PROTO) ?? []).join();
    // The end of a line, which no field has in it: what follows is no part of this.
    return `${host} ${proto ?? 'http'}://${toldHost ?? host}:${port ?? ''} ${elsewhere}\n`;
  }

  forRequest({ host }: RequestHead): string {
    if (this.received !== null) return this.afterProxy(this.received, host);
    if (host === this.host) return this.text;
    this.host = host;
    const fields = {
      hops: this.peer,
      proto: 'http',
      host,
      port: String(this.port),
      forwarded: element(this.peer, host, 'http'),
    };
    this.text = flat(forwardedText(fields));
    return this.text;
  }

  private lookUp(proxies: TrustedProxies | null): void {
    this.proxies = proxies;
    this.trusted = proxies?.has(this.peer) ?? false;
    this.received = null;
    this.setClient(this.peer);
  }

  private take(head: RequestHead, proxies: TrustedProxies): Refusal | null {
    const received = readForwarding(head.forwarding);
    if (received.hops.length > MOST_HOPS) return refusals.tooManyHops;
    this.received = received;
    this.setClient(proxies.clientBehind(received.hops, this.peer));
    return null;
  }

  private setClient(client: string): void {
    if (client === this.client) return;
    this.client = client;
    this.counted = null;
  }

  private afterProxy(received: ReceivedForwarding, ownHost: string): string {
    const { hops, forwarded, proto, host, port } = received;
    const told = { proto: proto ?? 'http', host: host ?? ownHost };
    return forwardedText({
      ...told,
      hops: [...hops, this.peer].join(', '),
      port: port ?? String(this.port),
      forwarded:
        forwarded === ''
          ? element(this.client, told.host, told.proto)
          : `${forwarded}, ${element(this.peer, ownHost, 'http')}`,
    });
  }
}

function forwardedText(
  fields: Record<'hops' | 'proto' | 'host' | 'port' | 'forwarded', string>,
): string {
  return (
    `X-Forwarded-For: ${fields.hops}\r\n` +
    `X-Forwarded-Proto: ${fields.proto}\r\n` +
    (fields.host === '' ? '' : `X-Forwarded-Host: ${fields.host}\r\n`) +
    `X-Forwarded-Port: ${fields.port}\r\n` +
    `Forwarded: ${fields.forwarded}\r\n`
  );
}

/** RFC 7239: one hop. */
function element(address: string, host: string, proto: string): string {
  const forClient = address.includes(':') ? `"[${address}]"` : address;
  return `for=${forClient}${host === '' ? '' : `;host="${host}"`};proto=${proto}`;
}
