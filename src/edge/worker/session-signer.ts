import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Bytes of a signature, of SHA-256's 32: RFC 2104 allows half. */
const SIGNATURE_BYTES = 16;
/** In base64url. */
export const SIGNATURE_LENGTH = 22;
/** 72 bits: no two of many thousand pools and targets have the same. */
export const TAG_LENGTH = 12;
/** What is remembered of values that were right; some 1 MB. */
const MOST_KNOWN = 4_096;

/** Signs cookies, and names what they are about so that only we understand it. */
export class SessionSigner {
  /** In hexadecimal digits. */
  readonly key: string;
  private readonly secret: KeyObject;
  /** By what they are of, because most of it is in the next snapshot again. */
  private readonly tags = new WeakMap<object, string>();
  /**
   * Values that were right. Clients who were with one target in one second have the same, and to
   * check a signature costs as much as a fifth of a request.
   */
  private readonly known = new Set<string>();

  constructor(key: string) {
    this.key = key;
    this.secret = createSecretKey(key, 'hex');
  }

  /** @param name by which every worker knows the subject */
  tagOf(subject: object, name: string): string {
    let tag = this.tags.get(subject);
    if (tag === undefined) {
      tag = this.hmac(`tag ${name}`).toString('base64url').slice(0, TAG_LENGTH);
      this.tags.set(subject, tag);
    }
    return tag;
  }

  /** The text with its signature behind it. */
  sign(text: string): string {
    return text + this.signature(text).toString('base64url');
  }

  /** Whether we have signed the text in it. */
  isSigned(value: string): boolean {
    if (this.known.has(value)) return true;
    const text = value.slice(0, -SIGNATURE_LENGTH);
    const given = Buffer.from(value.slice(-SIGNATURE_LENGTH), 'base64url');
    if (given.length !== SIGNATURE_BYTES || !timingSafeEqual(given, this.signature(text))) {
      return false;
    }
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    // A copy: a part of a head would keep all of it in memory.
    this.known.add(Buffer.from(value, 'latin1').toString('latin1'));
    return true;
  }

  private signature(text: string): Buffer {
    return this.hmac(`cookie ${text}`).subarray(0, SIGNATURE_BYTES);
  }

  private hmac(text: string): Buffer {
    return createHmac('sha256', this.secret).update(text).digest();
  }
}
