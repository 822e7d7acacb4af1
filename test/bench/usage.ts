import { readFile } from 'node:fs/promises';

/** What a process has used since it began. */
export interface Usage {
  /** User and system time, of all its threads. */
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  /** The most that `rssMiB` ever was. */
  readonly peakRssMiB: number;
}

/** Clock ticks a second: the same on every Linux that Node runs on. */
const ticks = 100;

/** Reads what the kernel counts of a process. */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name of the command, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return {
    cpuSeconds: (user + system) / ticks,
    rssMiB: kibibytes(status, 'VmRSS') / 1024,
    peakRssMiB: kibibytes(status, 'VmHWM') / 1024,
  };
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}
