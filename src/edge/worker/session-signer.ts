import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Bytes of a signature, of SHA-256's 32: RFC 2104 allows half. */
const SIGNATURE_BYTES = 16;
/** In base64url. */
export const SIGNATURE_LENGTH = 22;
/** 72 bits: no two of many thousand pools and targets have the same. */
export const TAG_LENGTH = 12;

/** Signs cookies, and names what they are about so that only we understand it. */
export class SessionSigner {
  /** In hexadecimal digits. */
  readonly key: string;
  private readonly secret: KeyObject;
  /** By what they are of, because most of it is in the next snapshot again. */
  private readonly tags = new WeakMap<object, string>();

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

  sign(text: string): string {
    return this.signature(text).toString('base64url');
  }

  /** Whether we have signed the text. */
  signed(text: string, signature: string): boolean {
    const given = Buffer.from(signature, 'base64url');
    return given.length === SIGNATURE_BYTES && timingSafeEqual(given, this.signature(text));
  }

  private signature(text: string): Buffer {
    return this.hmac(`cookie ${text}`).subarray(0, SIGNATURE_BYTES);
  }

  private hmac(text: string): Buffer {
    return createHmac('sha256', this.secret).update(text).digest();
  }
}
