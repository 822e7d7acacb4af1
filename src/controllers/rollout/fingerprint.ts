import { shortHash } from './short-hash.ts';
import type { Workload } from './workload.ts';

/** Tells whether a pod template changed in anything but one marker: in what its owners wrote, or in the marker of another target. */
export function fingerprint(workload: Workload, marker: string): string {
  const others = [...workload.markers]
    .filter(([name]) => name !== marker)
    .map(([name, { value }]) => `${name}=${value}`)
    .toSorted();
  return shortHash([workload.template, ...others].join('\n'));
}
