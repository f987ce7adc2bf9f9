/**
 * What a Map takes, whose growth nothing in the language tells. V8 keeps a Map as one table: places
 * for entries, and half as many buckets; what is deleted keeps its place until the table is full. Then
 * a table of the same size is made when half of the places are of deleted ones, else one of twice the
 * size (src/objects/ordered-hash-table.cc). At hundreds of thousands of small entries this is a tenth
 * of their memory and comes in steps, so it is followed and not estimated.
 */
export class MapSize {
  private places = FEWEST_PLACES;
  private live = 0;
  private deleted = 0;

  get sizeBytes(): number {
    return this.places * BYTES_OF_PLACE;
  }

  /** A key that was not there. */
  added(): void {
    if (this.live + this.deleted === this.places) {
      if (this.deleted < this.places / 2) this.places *= 2;
      this.deleted = 0;
    }
    this.live += 1;
  }

  removed(): void {
    this.live -= 1;
    this.deleted += 1;
    if (this.live >= this.places / 4 || this.places === FEWEST_PLACES) return;
    this.places /= 2;
    this.deleted = 0;
  }

  cleared(): void {
    this.places = FEWEST_PLACES;
    this.live = 0;
    this.deleted = 0;
  }
}

const FEWEST_PLACES = 4;
/** Key, value and chain, and half a bucket. */
const BYTES_OF_PLACE = 3 * 8 + 4;
