import type { Readable } from 'node:stream';
import type { Variables } from '../model/configuration.ts';

/** The control plane's face of the bundles it keeps, addressed by their content. */
export interface BundleFile {
  /** Relative, with forward slashes. */
  path: string;
  sizeBytes: number;
  digest: string;
}

/**
 * gone     not on this disk: never sent, or removed
 * damaged  something of it is not as it was sent; what, file by file
 */
export type BundleCondition =
  | { state: 'whole' }
  | { state: 'gone' }
  | { state: 'damaged'; damage: { path: string; why: string }[] };

/** A bundle on the disk. */
export interface StoredBundle {
  digest: string;
  /** When it came, milliseconds since the epoch. */
  storedAt: number;
  /** What was built from it takes so much room; null until it was measured. */
  imageBytes: number | null;
}

/** Of the file system that bundles are on. */
export interface DiskRoom {
  freeBytes: number;
  totalBytes: number;
}

export interface BundleStore {
  /** Whether it is here, and whole. */
  has(digest: string): Promise<boolean>;
  /** Looks at every file, and reads those that look otherwise than when they were last right. */
  inspect(digest: string): Promise<BundleCondition>;
  /**
   * Unpacks a tar stream; returns when it is on disk and its digest is right. Of one that is there
   * already, what is damaged is put right.
   *
   * @throws `digest-mismatch`, `bundle-malformed`, `disk-full`, `symlink-escapes`
   */
  receive(
    digest: string,
    tar: Readable,
    expected: { files: number; sizeBytes: number },
  ): Promise<void>;
  /** The unpacked directory, read-only. */
  directory(digest: string): string;
  files(digest: string): Promise<BundleFile[]>;
  list(): Promise<StoredBundle[]>;
  /** Finds out how much room images take that were not measured yet. */
  measureImages(): Promise<void>;
  /** Takes a bundle away, and everything that was built from it: at once, or not at all. */
  remove(digest: string): Promise<void>;
  room(): Promise<DiskRoom>;
}

/** What an image is made of: a bundle, and the command that builds it. */
export interface ImageKey {
  /** Of the bundle. */
  digest: string;
  command: readonly string[];
  variables: Variables;
}

/** The control plane's face of golden images: versions as their builds left them. */
export interface ImageStore {
  /** Where it lies, or will lie, read-only. */
  directory(image: ImageKey): string;
  isThere(image: ImageKey): boolean;
  /** A writable copy of the bundle for this run of its build, made anew where there is one. */
  begin(image: ImageKey, run: string): Promise<string>;
  /** Makes the image of what this run has left. Where there is one already, that stays. */
  keep(image: ImageKey, run: string): Promise<void>;
  /** Takes away what this run has left; what is not there is done. */
  discard(image: ImageKey, run: string): Promise<void>;
  /** Takes away what all runs but these have left. */
  clean(runs: ReadonlySet<string>): Promise<void>;
}
