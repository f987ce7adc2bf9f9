/**
 * How often what is gone had been used, so that what comes back is not taken for new. One place for
 * each hash, and who comes to the same place later has it: what is long gone is forgotten that way.
 */
export class FormerUses {
  private hashes = new Int32Array(FEWEST_PLACES);
  private uses = new Uint8Array(FEWEST_PLACES);

  get sizeBytes(): number {
    return this.hashes.byteLength + this.uses.byteLength;
  }

  /** 0: not known. */
  of(hash: number): number {
    const place = hash & (this.hashes.length - 1);
    return this.hashes[place] === hash ? (this.uses[place] ?? 0) : 0;
  }

  remember(hash: number, uses: number): void {
    const place = hash & (this.hashes.length - 1);
    this.hashes[place] = hash;
    this.uses[place] = uses;
  }

  /** Has a place for each of so many, so that about as many are remembered. */
  hold(count: number): void {
    if (count <= this.hashes.length) return;
    const { hashes, uses } = this;
    this.hashes = new Int32Array(hashes.length * 2);
    this.uses = new Uint8Array(hashes.length * 2);
    for (const [place, hash] of hashes.entries()) this.remember(hash, uses[place] ?? 0);
  }
}

const FEWEST_PLACES = 1_024;
