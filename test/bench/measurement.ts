import type { OperatorProcess } from '../operator/operator-process.ts';
import type { ApiCounts } from './api-counts.ts';
import type { Rig } from './rig.ts';
import { usageOf } from './usage.ts';

/** One line of the result. */
export interface PhaseLine {
  readonly phase: 'cold' | 'idle' | 'rotate' | 'restart';
  readonly seconds: number;
  /** Requests to the backend, STS included, counted by a proxy before it. */
  readonly backendCalls: number;
  /** Writes of Secrets, references, managers and workloads; events apart, and leases left out. */
  readonly apiWrites: number;
  readonly eventWrites: number;
  /** Secrets that were read one by one. */
  readonly secretReads: number;
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  readonly p50Seconds?: number;
  readonly p99Seconds?: number;
}

/** Where all counters stood. */
export interface Mark {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly backend: ReadonlyMap<string, number>;
  readonly api: ApiCounts;
}

/** Takes the counters' stand now. Without an operator: before it starts, so it has used nothing. */
export async function mark(rig: Rig, operator: OperatorProcess | undefined): Promise<Mark> {
  const backend = rig.proxy.calls();
  const api = await rig.apiCounts();
  const cpuSeconds = operator === undefined ? 0 : (await usageOf(operator.pid)).cpuSeconds;
  return { at: performance.now(), cpuSeconds, backend, api };
}

/** What happened since `from`. `seconds`: where the phase ended by something that was seen, how long that took; otherwise until now. */
export async function since(
  rig: Rig,
  operator: OperatorProcess,
  from: Mark,
  seconds?: number,
): Promise<Omit<PhaseLine, 'phase'>> {
  const at = performance.now();
  const { cpuSeconds, rssMiB, peakRssMiB } = await usageOf(operator.pid);
  const calls = callsSince(rig, from);
  const api = await requestsSince(rig, from);
  return {
    seconds: seconds ?? (at - from.at) / 1000,
    backendCalls: [...calls.values()].reduce((sum, count) => sum + count, 0),
    apiWrites: api.writes,
    eventWrites: api.events,
    secretReads: api.secretReads,
    cpuSeconds: cpuSeconds - from.cpuSeconds,
    rssMiB,
    peakRssMiB,
  };
}

/** Requests to the API server since `from`. */
export async function requestsSince(
  rig: Pick<Rig, 'apiCounts'>,
  { api: before }: Pick<Mark, 'api'>,
): Promise<ApiCounts> {
  const now = await rig.apiCounts();
  return {
    writes: now.writes - before.writes,
    secretWrites: now.secretWrites - before.secretWrites,
    statusWrites: now.statusWrites - before.statusWrites,
    workloadWrites: now.workloadWrites - before.workloadWrites,
    events: now.events - before.events,
    leases: now.leases - before.leases,
    secretReads: now.secretReads - before.secretReads,
    referenceReads: now.referenceReads - before.referenceReads,
    embeddedCalls: now.embeddedCalls - before.embeddedCalls,
  };
}

/** Calls to the backend since `from`, by operation. */
export function callsSince(rig: Rig, from: Mark): ReadonlyMap<string, number> {
  const now = [...rig.proxy.calls()];
  return new Map(now.map(([operation, count]) => [operation, count - (from.backend.get(operation) ?? 0)]));
}
