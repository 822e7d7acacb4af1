import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../cluster/progress.ts';
import { waitFor } from '../cluster/wait.ts';
import { type OperatorProcess, whenReady } from '../operator/operator-process.ts';
import { checkReferences, checkSecrets } from './checks.ts';
import { mark, type PhaseLine, since } from './measurement.ts';
import { percentile } from './percentile.ts';
import type { Rig } from './rig.ts';
import { LONGEST_PHASE, QUIET, until } from './waiting.ts';

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
