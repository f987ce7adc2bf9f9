import { createRequire } from 'node:module';

/**
 * Node's own HTTP parser (llhttp), as strict as it is by default, without a server around it: what a
 * peer behind the edge, or before it, takes some bytes for. Node keeps it in an inner module that
 * every version so far has let be required; a server with a socket would be forty times slower, and
 * ten million heads are to be compared.
 */

/** One message as the parser read it, `fields` and `trailers` as name, value, name, value. */
export interface ParsedMessage {
  method: string;
  target: string;
  status: number;
  minorVersion: number;
  fields: string[];
  body: string;
  trailers: string[];
  complete: boolean;
}

export interface Parsed {
  messages: ParsedMessage[];
  /** Why it read no further, by Node's codes; null when it would go on. */
  error: string | null;
}

interface InnerParser {
  [callback: number]: unknown;
  initialize(type: number, resource: object, maxHeaderBytes: number, leniency: number): void;
  execute(bytes: Buffer): number | (Error & { code: string });
  finish(): (Error & { code: string }) | undefined;
}

interface InnerModule {
  methods: string[];
  HTTPParser: (new () => InnerParser) &
    Record<
      | 'REQUEST'
      | 'RESPONSE'
      | 'kOnHeaders'
      | 'kOnHeadersComplete'
      | 'kOnBody'
      | 'kOnMessageComplete',
      number
    >;
}

const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as InnerModule;

/** Methods the parser knows; it takes no others. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set(methods);

const MAX_HEADER_BYTES = 64 * 1024;
const STRICT = 0;

export class NodeParser {
  private readonly type: number;
  private readonly inner = new HTTPParser();
  private messages: ParsedMessage[] = [];
  /** What is being read, once its head is all there. */
  private current: ParsedMessage | null = null;
  /** Lines of a head, or of trailers, that came before the rest of it. */
  private flushed: string[] = [];
  private flushedTarget = '';

  constructor(type: 'request' | 'response') {
    this.type = type === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    const { inner } = this;
    inner[HTTPParser.kOnHeaders] = (fields: string[], target: string) => {
      this.flushed.push(...fields);
      this.flushedTarget += target;
    };
    inner[HTTPParser.kOnHeadersComplete] = this.onHead.bind(this);
    inner[HTTPParser.kOnBody] = (bytes: Buffer) => {
      if (this.current !== null) this.current.body += bytes.toString('latin1');
    };
    inner[HTTPParser.kOnMessageComplete] = () => {
      if (this.current === null) return;
      this.current.trailers = this.flushed;
      this.current.complete = true;
      this.current = null;
      this.flushed = [];
      this.flushedTarget = '';
    };
  }

  read(bytes: Buffer): Parsed {
    this.messages = [];
    this.begin();
    let rest = bytes;
    for (;;) {
      const used = this.inner.execute(rest);
      if (typeof used !== 'number') return { messages: this.messages, error: used.code };
      if (used >= rest.length) return { messages: this.messages, error: null };
      // It stops behind a request that could switch protocols. This one does not.
      rest = rest.subarray(used);
      this.begin();
    }
  }

  /** The same, of a connection that has ended behind the bytes. */
  readToEnd(bytes: Buffer): Parsed {
    const parsed = this.read(bytes);
    return parsed.error === null ? { ...parsed, error: this.inner.finish()?.code ?? null } : parsed;
  }

  private begin(): void {
    this.current = null;
    this.flushed = [];
    this.flushedTarget = '';
    this.inner.initialize(this.type, {}, MAX_HEADER_BYTES, STRICT);
  }

  private onHead(
    _major: number,
    minorVersion: number,
    fields: string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
  ): number {
    this.current = {
      method: method === undefined ? '' : (methods[method] ?? ''),
      target: target ?? this.flushedTarget,
      status: status ?? 0,
      minorVersion,
      fields: fields ?? this.flushed,
      body: '',
      trailers: [],
      complete: false,
    };
    this.flushed = [];
    this.flushedTarget = '';
    this.messages.push(this.current);
    return 0;
  }
}
