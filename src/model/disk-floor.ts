/** The room on the disk that deployments leave free, in bytes or in per cent of the disk. */
export interface DiskFloor {
  unit: 'bytes' | 'percent';
  amount: number;
}
