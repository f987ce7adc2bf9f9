import type { Readable } from 'node:stream';

/** The control plane's face of the bundles it keeps, addressed by their content. */
export interface BundleFile {
  /** Relative, with forward slashes. */
  path: string;
  sizeBytes: number;
  digest: string;
}

export interface BundleStore {
  has(digest: string): Promise<boolean>;
  /**
   * Unpacks a tar stream; returns when it is on disk and its digest is right. One that is there
   * already is read to its end and left as it is.
   *
   * @throws `digest-mismatch`, `bad-bundle`, `disk-full`, `symlink-escapes`
   */
  receive(
    digest: string,
    tar: Readable,
    expected: { files: number; sizeBytes: number },
  ): Promise<void>;
  /** The unpacked directory, read-only. */
  directory(digest: string): string;
  files(digest: string): Promise<BundleFile[]>;
}
