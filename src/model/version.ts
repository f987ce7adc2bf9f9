/** An immutable bundle: sources plus what the build made of them, addressed by its content. */
export interface Version {
  application: string;
  /** `v1`, `v2` …, unique within the application. */
  label: string;
  /** `sha256:` and 64 hexadecimal digits over paths, modes and contents. */
  digest: string;
  createdAt: number;
  author: string | null;
  /** The source commit, with `+` behind it when the working tree differed from it. */
  commit: string | null;
  message: string | null;
  files: number;
  sizeBytes: number;
}

export const versionLabel = (number: number): string => `v${number}`;
