import { type Churn, churn } from './churn.ts';

const MIB = 1024 * 1024;

/** The one that is asked for, then other sizes and bounds. */
const CHURNS: Churn[] = [
  { boundBytes: 64 * MIB, bodyBytes: 200, responses: 5_000_000, hit: false },
  { boundBytes: 64 * MIB, bodyBytes: 200, responses: 1_000_000, hit: true },
  { boundBytes: 16 * MIB, bodyBytes: 200, responses: 500_000, hit: false },
  { boundBytes: 256 * MIB, bodyBytes: 200, responses: 1_000_000, hit: false },
  { boundBytes: 64 * MIB, bodyBytes: 1_000, responses: 500_000, hit: true },
  { boundBytes: 64 * MIB, bodyBytes: 4_096, responses: 200_000, hit: true },
  { boundBytes: 64 * MIB, bodyBytes: 16_384, responses: 50_000, hit: false },
  { boundBytes: 64 * MIB, bodyBytes: 16_384, responses: 50_000, hit: true },
];

export function reportChurn(print: (line: string) => void): void {
  print(
    '| bound   | body     | came      | answered | kept    | most said | said at last | taken   |',
  );
  print(
    '|---------|----------|-----------|----------|---------|-----------|--------------|---------|',
  );
  for (const each of CHURNS) {
    const churned = churn(each);
    const share = (bytes: number): string => `${((bytes / each.boundBytes) * 100).toFixed(1)} %`;
    const cells = [
      `${each.boundBytes / MIB} MiB`.padEnd(7),
      `${each.bodyBytes} B`.padEnd(8),
      String(each.responses).padEnd(9),
      (each.hit ? 'all' : 'some').padEnd(8),
      String(churned.kept).padEnd(7),
      share(churned.mostAccountedBytes).padEnd(9),
      share(churned.accountedBytes).padEnd(12),
      share(churned.takenBytes).padEnd(7),
    ];
    print(`| ${cells.join(' | ')} |`);
  }
}
