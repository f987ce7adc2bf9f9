import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Bytes of a signature, of SHA-256's 32: RFC 2104 allows half. */
const SIGNATURE_BYTES = 16;
/** In base64url. */
export const SIGNATURE_LENGTH = 22;
/** 72 bits: no two of many thousand pools and targets have the same. */
export const TAG_LENGTH = 12;
/** What is remembered of values that were right; some 1 MB. */
const MOST_KNOWN = 4_096;

/** What cookies name. Most of it is in the next snapshot again, so it keeps its tag. */
export interface Tagged {
  /** Null until it is asked for. */
  tag: { readonly by: SessionSigner; readonly text: string } | null;
}

/** Signs cookies, and names what they are about so that only we understand it. */
export class SessionSigner {
  /** In hexadecimal digits. */
  readonly key: string;
  private readonly secret: KeyObject;
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
  tagOf(subject: Tagged, name: string): string {
    if (subject.tag?.by !== this) {
      // Not an HMAC, which takes five times as long for each of a thousand targets: a tag has to
      // hide a name, not to prove anything, and less than a third of the hash is told.
      const digest = hash('sha256', `${this.key} ${name}`, 'base64url');
      subject.tag = { by: this, text: digest.slice(0, TAG_LENGTH) };
    }
    return subject.tag.text;
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
    const digest = createHmac('sha256', this.secret).update(text).digest();
    return digest.subarray(0, SIGNATURE_BYTES);
  }
}
