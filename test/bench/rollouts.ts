import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../cluster/progress.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { checkReferences, checkSecrets } from './checks.ts';
import { findFaults, readContents, readDeployments } from './deployment-checks.ts';
import { createDeployments, WRITES_OF_A_DEPLOYMENT } from './deployments.ts';
import { mark, requestsSince, since } from './measurement.ts';
import type { Rig } from './rig.ts';
import { settle, until } from './waiting.ts';

/** A while with Deployments in the cluster in which nothing changes. */
export interface IdleWorkloadsLine {
  readonly phase: 'idle-workloads';
  /** How many there are, and how many of them consume a target. */
  readonly deployments: number;
  readonly consuming: number;
  /** The operator's writes from before they were made until the while began. */
  readonly arrivalWrites: number;
  readonly seconds: number;
  readonly apiWrites: number;
  readonly backendCalls: number;
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  /** Without any Deployment. */
  readonly rssBeforeMiB: number;
  readonly rssGrowthMiBPer1000: number;
}

/** One secret that every reference uses gets a new version. */
export interface RolloutLine {
  readonly phase: 'rollout';
  readonly references: number;
  readonly deployments: number;
  /** All from the answer to the put. The first Secret is written as soon as a poll has brought the version. */
  readonly secondsToFirstSecret: number;
  readonly secondsToLastSecret: number;
  readonly secondsToLastMarker: number;
  readonly apiWrites: number;
  readonly secretWrites: number;
  readonly statusWrites: number;
  readonly workloadWrites: number;
  readonly workloadWritesPerConsumer: number;
  readonly eventWrites: number;
  /** Objects that were read one by one. */
  readonly secretReads: number;
  readonly referenceReads: number;
  /** Until nothing more but events was to be written. */
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
}

/** Before there is any Deployment, with those that consume nothing, and with those that consume a target as well. */
export async function idleWorkloads(
  rig: Rig,
  operator: OperatorProcess,
  log: Log,
  print: (line: IdleWorkloadsLine) => void,
): Promise<void> {
  const { DEPLOYMENTS, IDLE_DEPLOYMENTS } = rig.settings;
  const empty = await idleWith(rig, operator, log, { others: 0, consumers: 0 });
  print(lineOf(empty, { others: 0, consumers: 0 }, empty.rssMiB));
  const others = await idleWith(rig, operator, log, { others: IDLE_DEPLOYMENTS, consumers: 0 });
  print(lineOf(others, { others: IDLE_DEPLOYMENTS, consumers: 0 }, empty.rssMiB));
  const all = await idleWith(rig, operator, log, { others: 0, consumers: DEPLOYMENTS });
  print(lineOf(all, { others: IDLE_DEPLOYMENTS, consumers: DEPLOYMENTS }, empty.rssMiB));
}

interface Counts {
  /** Deployments that consume no target. */
  readonly others: number;
  readonly consumers: number;
}

type Idle = Pick<
  IdleWorkloadsLine,
  'arrivalWrites' | 'seconds' | 'apiWrites' | 'backendCalls' | 'cpuSeconds' | 'rssMiB'
>;

function lineOf(idle: Idle, { others, consumers }: Counts, rssBeforeMiB: number): IdleWorkloadsLine {
  const deployments = others + consumers;
  const rssGrowthMiBPer1000 = deployments === 0 ? 0 : ((idle.rssMiB - rssBeforeMiB) / deployments) * 1000;
  return { phase: 'idle-workloads', deployments, consuming: consumers, ...idle, rssBeforeMiB, rssGrowthMiBPer1000 };
}

/** Makes more Deployments, and looks on while nothing changes. */
async function idleWith(rig: Rig, operator: OperatorProcess, log: Log, more: Counts): Promise<Idle> {
  const before = await mark(rig, operator);
  log(`idle-workloads: ${more.others} more Deployments that consume nothing, ${more.consumers} that do`);
  await createDeployments(rig, more.others, false);
  await createDeployments(rig, more.consumers, true);
  await settle(rig, log);
  const { writes } = await requestsSince(rig, before);
  const arrivalWrites = writes - (more.others + more.consumers) * WRITES_OF_A_DEPLOYMENT;
  const from = await mark(rig, operator);
  await delay(rig.settings.IDLE_SECONDS * 1000);
  const { seconds, apiWrites, backendCalls, cpuSeconds, rssMiB } = await since(rig, operator, from);
  return { arrivalWrites, seconds, apiWrites, backendCalls, cpuSeconds, rssMiB };
}

/** The one secret gets a new version: how long until every Secret holds it, and every Deployment that consumes one is marked with it. */
export async function rollout(rig: Rig, operator: OperatorProcess, log: Log): Promise<RolloutLine> {
  const { REFERENCES, DEPLOYMENTS } = rig.settings;
  const before = await readDeployments(rig);
  const from = await mark(rig, operator);
  const times = await putAndWatch(rig, operator);
  await untilQuiet(rig);
  const { cpuSeconds, rssMiB, peakRssMiB } = await since(rig, operator, from);
  await settle(rig, log);
  // What comes late counts too.
  const requests = await requestsSince(rig, from);
  await checkSecrets(rig);
  await checkReferences(rig);
  const faults = findFaults(before, await readDeployments(rig), await readContents(rig));
  if (faults.length > 0) throw new Error(`${faults.length} faults: ${faults.slice(0, 10).join('; ')}`);
  return {
    phase: 'rollout',
    references: REFERENCES,
    deployments: DEPLOYMENTS,
    ...times,
    apiWrites: requests.writes,
    secretWrites: requests.secretWrites,
    statusWrites: requests.statusWrites,
    workloadWrites: requests.workloadWrites,
    workloadWritesPerConsumer: requests.workloadWrites / DEPLOYMENTS,
    eventWrites: requests.events,
    secretReads: requests.secretReads,
    referenceReads: requests.referenceReads,
    cpuSeconds,
    rssMiB,
    peakRssMiB,
  };
}

type RolloutTimes = Pick<RolloutLine, 'secondsToFirstSecret' | 'secondsToLastSecret' | 'secondsToLastMarker'>;

async function putAndWatch(rig: Rig, operator: OperatorProcess): Promise<RolloutTimes> {
  const [name = ''] = rig.secrets.names;
  const { secrets, consumers } = rig.observer;
  const generations = new Map([...consumers].map(([key, { generation }]) => [key, generation]));
  if (generations.size !== rig.settings.DEPLOYMENTS) throw new Error(`${generations.size} Deployments are watched`);
  const version = await rig.secrets.put(name);
  const put = performance.now();
  const text = `${name}@${version.slice(0, 8)}`;
  await until(operator, `every Secret holds ${text} and every Deployment is marked`, () => {
    const written = [...secrets.values()].every(({ versions }) => versions === text);
    return written && [...consumers].every(([key, { generation }]) => generation !== generations.get(key))
      ? true
      : undefined;
  });
  const atSecrets = [...secrets.values()].map(({ at }) => (at - put) / 1000);
  const atMarkers = [...consumers.values()].map(({ at }) => (at - put) / 1000);
  return {
    secondsToFirstSecret: Math.min(...atSecrets),
    secondsToLastSecret: Math.max(...atSecrets),
    secondsToLastMarker: Math.max(...atMarkers),
  };
}

/** Milliseconds without a write of anything but events after which a rollout is over: states of consumers are written together, half a second late. */
const OVER = 2_000;

async function untilQuiet(rig: Rig): Promise<void> {
  for (let before = -1; ; ) {
    const { writes } = await rig.apiCounts();
    if (writes === before) return;
    before = writes;
    await delay(OVER);
  }
}
