import type { Clock } from '../../../kernel/clock.ts';
import { messageOf, systemCode } from '../../../kernel/fault.ts';
import { sizeText } from '../../../kernel/size-text.ts';
import type { DiskState, DiskStoreOptions } from './disk-store.ts';
import type { Room } from './room.ts';

/** How long a disk is left alone that did not do what was asked; twice as long each time it fails again, ... */
const REST_MS = 60_000;
/** ... and no longer than that. */
const LONGEST_REST_MS = 16 * 60_000;

/** A disk that loses one response loses many: they are told together. */
const DAMAGES_PERIOD_MS = 60_000;

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Of the process, and not of the disk. */
const OF_THE_PROCESS = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * Whether the disk is used. It is left alone when it fails, and tried again after a rest; operators
 * hear of the first failure, and of the first success behind it.
 */
export class Standing {
  readonly #clock: Clock;
  readonly #onTrouble: DiskStoreOptions['onTrouble'];
  #trouble: 'full' | 'failed' | null = null;
  /** There is so little room that all of it is left to others. */
  #isCramped = false;
  #restMs = REST_MS;
  #restsUntilMs = 0;
  #toldDamageAtMs = Number.NEGATIVE_INFINITY;
  #untoldDamages = 0;

  constructor({ clock, onTrouble }: Pick<DiskStoreOptions, 'clock' | 'onTrouble'>) {
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  get state(): DiskState {
    const rests = this.#trouble !== null && this.#clock.monotonic() < this.#restsUntilMs;
    if (rests && this.#trouble === 'failed') return 'off';
    return rests || this.#isCramped ? 'read-only' : 'on';
  }

  /** How much room there is on the disk now. */
  room({ freeBytes, leastBytes }: Room): void {
    const before = this.state;
    const wasCramped = this.#isCramped;
    this.#isCramped = freeBytes < leastBytes;
    if (wasCramped === this.#isCramped) return;
    const detail = `${sizeText(freeBytes)} are free on the disk, and ${sizeText(leastBytes)} are left to others`;
    if (this.#isCramped && before === 'on') this.#onTrouble('full', detail);
    if (wasCramped && this.#trouble === null) this.#onTrouble('recovered', detail);
  }

  /** @param doing what was done to which file, as in `write /a/b` */
  failed(doing: string, thrown: unknown): void {
    const code = systemCode(thrown) ?? '';
    if (OF_THE_PROCESS.has(code)) return;
    const known = this.#trouble;
    // Those that were under way when the first one failed say nothing new.
    if (known !== null && this.state !== 'on') return;
    this.#trouble = FULL.has(code) ? 'full' : 'failed';
    this.#restMs = known === null ? REST_MS : Math.min(2 * this.#restMs, LONGEST_REST_MS);
    this.#restsUntilMs = this.#clock.monotonic() + this.#restMs;
    const isKnown = known === this.#trouble || (this.#trouble === 'full' && this.#isCramped);
    if (!isKnown) this.#onTrouble(this.#trouble, `${doing}: ${messageOf(thrown)}`);
  }

  /** @param detail of one that was kept, and is not what was written */
  damaged(detail: string): void {
    if (this.#clock.monotonic() - this.#toldDamageAtMs < DAMAGES_PERIOD_MS) {
      this.#untoldDamages += 1;
      return;
    }
    const others = this.#untoldDamages === 0 ? '' : `, as ${this.#untoldDamages} before it`;
    this.#toldDamageAtMs = this.#clock.monotonic();
    this.#untoldDamages = 0;
    this.#onTrouble('damaged', detail + others);
  }

  /** A response has been written. */
  worked(): void {
    if (this.#trouble === null || this.state !== 'on') return;
    this.#trouble = null;
    this.#onTrouble('recovered', 'kept responses are written again');
  }
}
