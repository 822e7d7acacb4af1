import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { labels } from '../../src/api/v1/names.ts';
import { secretReferences } from '../../src/api/v1/resources.ts';
import { secrets as secretResource } from '../../src/kube/resource.ts';
import type { Log } from '../cluster/progress.ts';
import { waitFor } from '../cluster/wait.ts';
import { type OperatorProcess, whenReady } from '../operator/operator-process.ts';
import { mark, type PhaseLine, since } from './measurement.ts';
import { percentile } from './percentile.ts';
import type { Rig } from './rig.ts';
import { dataKey } from './workload.ts';

const LONGEST_PHASE = 600_000;
/** Milliseconds between two looks at what the watches brought. */
const LOOK = 10;
/** Milliseconds without a write after which nothing more is to come. */
const QUIET = 10_000;

/** From the start of the process until every Secret and every status is written. */
export async function cold(
  rig: Rig,
  log: Log,
): Promise<{ readonly line: PhaseLine; readonly operator: OperatorProcess }> {
  const { REFERENCES } = rig.settings;
  const { secrets, written } = rig.observer;
  const from = await mark(rig, undefined);
  const clusterBefore = await rig.clusterCpu();
  const started = performance.now();
  const operator = await rig.startOperator();
  await until(operator, 'every reference has its Secret and its status', () =>
    secrets.size >= REFERENCES && written.size >= REFERENCES ? true : undefined,
  );
  const atSecrets = [...secrets.values()].map(({ at }) => (at - started) / 1000);
  const last = Math.max(...atSecrets, ...[...written.values()].map((at) => (at - started) / 1000));
  const clusterCpu = (await rig.clusterCpu()) - clusterBefore;
  const used = await since(rig, operator, from, last);
  log(`first Secret after ${Math.min(...atSecrets).toFixed(2)} s, last after ${Math.max(...atSecrets).toFixed(2)} s`);
  log(`meanwhile etcd and the API server used ${clusterCpu.toFixed(2)} CPU s`);
  await checkSecrets(rig);
  await checkReferences(rig);
  return { operator, line: { phase: 'cold', ...used, ...percentiles(atSecrets) } };
}

/** Waits until nothing has been written for a while: events go out at ten a second. */
export async function settle(rig: Rig, log: Log): Promise<void> {
  const started = performance.now();
  for (let before = await rig.apiCounts(); ; ) {
    await delay(QUIET);
    const now = await rig.apiCounts();
    if (now.writes === before.writes && now.events === before.events) break;
    log(`waiting until nothing more is written (${now.events - before.events} events in ${QUIET / 1000} s)`);
    before = now;
  }
  log(`settled after ${Math.round((performance.now() - started) / 1000)} s`);
}

/** A while in which nothing changes. */
export async function idle(rig: Rig, operator: OperatorProcess): Promise<PhaseLine> {
  const from = await mark(rig, operator);
  await delay(rig.settings.IDLE_SECONDS * 1000);
  return { phase: 'idle', ...(await since(rig, operator, from)) };
}

/** Secrets get new versions at random times: how long until the last Secret that uses each has it. */
export async function rotate(rig: Rig, operator: OperatorProcess): Promise<PhaseLine> {
  const { ROTATIONS, ROTATION_SECONDS } = rig.settings;
  const names = rig.secrets.names.filter((_, index) => index % Math.floor(rig.secrets.names.length / ROTATIONS) === 0);
  const from = await mark(rig, operator);
  const delays = await Promise.all(
    names.slice(0, ROTATIONS).map(async (name) => {
      await delay(Math.random() * ROTATION_SECONDS * 1000);
      const version = await rig.secrets.put(name);
      const put = performance.now();
      const text = `${name}@${version.slice(0, 8)}`;
      const users = [...rig.observer.secrets].filter(([, { versions }]) => versions.startsWith(`${name}@`));
      const ats = await until(operator, `every Secret holds ${text}`, () => {
        const now = users.flatMap(([key]) => rig.observer.secrets.get(key) ?? []);
        return now.every(({ versions }) => versions === text) ? now.map(({ at }) => at) : undefined;
      });
      return Math.max(...ats.map((at) => at - put)) / 1000;
    }),
  );
  const used = await since(rig, operator, from);
  await checkSecrets(rig);
  return { phase: 'rotate', ...used, ...percentiles(delays) };
}

/** From the start of another process over the same references until it is ready, has read every secret and has nothing more to do. */
export async function restart(
  rig: Rig,
  before: OperatorProcess,
): Promise<{ readonly line: PhaseLine; readonly operator: OperatorProcess }> {
  await before.stop();
  rig.proxy.forget();
  const from = await mark(rig, undefined);
  const started = performance.now();
  const operator = await rig.startOperator();
  await whenReady(operator);
  await until(operator, 'every secret is read', () =>
    rig.proxy.asked.size >= rig.settings.SECRETS ? true : undefined,
  );
  await waitFor({ what: 'nothing more is to do', timeout: LONGEST_PHASE, interval: 100 }, () => isDone(operator));
  const seconds = (performance.now() - started) / 1000;
  const { cpuSeconds } = await since(rig, operator, from);
  // What is decided late is written late, or not at all.
  await delay(QUIET);
  return { operator, line: { phase: 'restart', ...(await since(rig, operator, from, seconds)), cpuSeconds } };
}

async function isDone(operator: OperatorProcess): Promise<true | undefined> {
  const [depth, running] = await Promise.all([
    operator.metric('workqueue_depth', { name: 'secretreference' }),
    operator.metric('controller_runtime_active_workers', { controller: 'secretreference' }),
  ]);
  return depth === 0 && running === 0 ? true : undefined;
}

function percentiles(values: readonly number[]): Pick<PhaseLine, 'p50Seconds' | 'p99Seconds'> {
  return { p50Seconds: percentile(values, 50), p99Seconds: percentile(values, 99) };
}

/** Looks until there is something to see; an operator that ended will bring nothing more. */
async function until<T>(operator: OperatorProcess, what: string, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + LONGEST_PHASE;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    const ended = operator.ended();
    if (ended !== undefined) throw new Error(`the operator ended (${ended}): ${(await operator.log()).slice(-2000)}`);
    if (performance.now() > deadline) throw new Error(`waited ${LONGEST_PHASE / 1000} s in vain until ${what}`);
    await delay(LOOK);
  }
}

/** A figure for work that was done wrong is worth nothing: every Secret must hold what the backend has. */
async function checkSecrets(rig: Rig): Promise<void> {
  const found = await rig.client.list(secretResource, { labelSelector: labels.target }, { signal: rig.signal });
  const { names } = rig.secrets;
  for (const { metadata, ...secret } of found) {
    const index = Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
    const value = Buffer.from(rig.secrets.valueOf(names[index % names.length] ?? '')).toString('base64');
    if (!isDeepStrictEqual(secret['data'], { [dataKey]: value })) {
      throw new Error(`Secret ${metadata.namespace}/${metadata.name} does not hold what it should`);
    }
  }
  if (found.length !== rig.settings.REFERENCES) throw new Error(`there are ${found.length} Secrets`);
}

const readySchema = z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) });

async function checkReferences(rig: Rig): Promise<void> {
  for (const { metadata, ...reference } of await rig.client.list(secretReferences, {}, { signal: rig.signal })) {
    const { conditions } = readySchema.parse(reference['status']);
    const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (!ready) throw new Error(`SecretReference ${metadata.namespace}/${metadata.name} is not Ready`);
  }
}
