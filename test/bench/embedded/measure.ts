import { setTimeout as delay } from 'node:timers/promises';
import { secretReferences } from '../../../src/api/v1/resources.ts';
import type { Log } from '../../cluster/progress.ts';
import { type OperatorProcess, whenReady } from '../../operator/operator-process.ts';
import { requestsSince } from '../measurement.ts';
import { percentile } from '../percentile.ts';
import { usageOf } from '../usage.ts';
import { settle } from '../waiting.ts';
import { forEachIndex } from '../workload.ts';
import { runKeyferry } from './command.ts';
import type { EmbeddedRig } from './rig.ts';
import { createSecrets, type EmbeddedSecrets } from './secrets.ts';
import { dataKey } from './targets.ts';

/** One line of the result: what was measured, and its figures. */
export interface EmbeddedLine {
  readonly phase: string;
  readonly [figure: string]: number | string;
}

type Print = (line: EmbeddedLine) => void;

/** Many secrets in the cluster: what it takes to put them, to keep them, to look at them, and to have them in native Secrets. */
export async function measureEmbedded(rig: EmbeddedRig, log: Log, print: Print): Promise<void> {
  const { SECRETS, VERSIONS, PUTS, IDLE_SECONDS } = rig.settings;
  const operator = await rig.startOperator();
  await whenReady(operator);
  const secrets = createSecrets(rig);
  await secrets.ready();
  print({ phase: 'empty', ...(await sizeOf(operator)) });
  log(`putting ${VERSIONS} versions of ${SECRETS} secrets`);
  print(await withLog(operator, putAll(rig, operator, secrets, log)));
  await settle(rig, log);
  log(`idle: ${IDLE_SECONDS} s`);
  print(await idle(rig, operator));
  log('commands: a person looks');
  await commands(rig, secrets, print);
  log(`puts: ${PUTS}, each until its native Secret holds it`);
  await createReferences(rig, secrets);
  print(await puts(rig, secrets, 'puts'));
  await settle(rig, log);
  log('restart: another process takes over');
  const second = await restart(rig, operator);
  print(second.line);
  log('restart: again, while a version is put');
  await second.operator.stop();
  const third = await rig.startOperator();
  const { held } = await putUntilHeld(rig, secrets, 0);
  print({ phase: 'put-while-down', heldSeconds: held });
  await third.stop();
}

/** What the operator wrote says why something did not work. */
async function withLog<T>(operator: OperatorProcess, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(`it failed; the operator wrote: ${(await operator.log()).slice(-2000)}`, { cause });
  }
}

/** Several at a time; the versions of one secret follow each other. */
async function putAll(
  rig: EmbeddedRig,
  operator: OperatorProcess,
  secrets: EmbeddedSecrets,
  log: Log,
): Promise<EmbeddedLine> {
  const { SECRETS, VERSIONS } = rig.settings;
  const api = await rig.apiCounts();
  const before = await usageOf(operator.pid);
  const started = performance.now();
  await forEachIndex(SECRETS, async (index) => {
    for (let version = 1; version <= VERSIONS; version += 1) await secrets.put(index);
    if (index % 100 === 99)
      log(`${index + 1} secrets are begun, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  });
  const seconds = (performance.now() - started) / 1000;
  const { writes } = await requestsSince(rig, { api });
  const { cpuSeconds } = await usageOf(operator.pid);
  const line = {
    phase: 'put',
    secrets: SECRETS,
    versions: VERSIONS,
    seconds,
    putsPerSecond: (SECRETS * VERSIONS) / seconds,
  };
  return { ...line, apiWrites: writes, cpuSeconds: cpuSeconds - before.cpuSeconds, ...(await sizeOf(operator)) };
}

async function idle(rig: EmbeddedRig, operator: OperatorProcess): Promise<EmbeddedLine> {
  const api = await rig.apiCounts();
  const before = await usageOf(operator.pid);
  await delay(rig.settings.IDLE_SECONDS * 1000);
  const { cpuSeconds } = await usageOf(operator.pid);
  const { writes, events, embeddedCalls, leases } = await requestsSince(rig, { api });
  const calls = { apiWrites: writes, eventWrites: events, apiReads: embeddedCalls - writes, leaseWrites: leases };
  return { phase: 'idle', ...calls, cpuSeconds: cpuSeconds - before.cpuSeconds, ...(await sizeOf(operator)) };
}

async function commands(rig: EmbeddedRig, secrets: EmbeddedSecrets, print: Print): Promise<void> {
  const { namespace, name } = secrets.at(0);
  const looks = [
    ['list', '-n', namespace],
    ['list', '-A'],
    ['list', '-A', '-o', 'json'],
    ['show', name, '-n', namespace],
  ];
  for (const args of looks) {
    const runs: { readonly seconds: number; readonly calls: number; readonly bytes: number }[] = [];
    for (let run = 0; run < 5; run += 1) {
      const api = await rig.apiCounts();
      const { seconds, output } = await runKeyferry(rig.kubeconfig, args);
      const { embeddedCalls: calls } = await requestsSince(rig, { api });
      runs.push({ seconds, calls, bytes: output.length });
    }
    const seconds = percentile(
      runs.map((run) => run.seconds),
      50,
    );
    const { calls = 0, bytes = 0 } = runs.at(-1) ?? {};
    print({
      phase: 'command',
      command: args.slice(0, args[0] === 'show' ? 1 : args.length).join(' '),
      seconds,
      apiCalls: calls,
      bytes,
    });
  }
}

/** One reference for each of the secrets that are put again. */
async function createReferences(rig: EmbeddedRig, secrets: EmbeddedSecrets): Promise<void> {
  await forEachIndex(Math.min(rig.settings.PUTS, rig.settings.SECRETS), async (index) => {
    const { namespace, name, value } = secrets.at(index);
    const spec = { data: { [dataKey]: { secret: name } } };
    const options = { signal: rig.signal, fieldManager: 'bench' };
    await rig.client.create(secretReferences, { metadata: { name: `ref-${index}`, namespace }, spec }, options);
    await rig.targets.holds(namespace, `ref-${index}`, value);
  });
}

/** One after another, from the call of the library on. */
async function puts(rig: EmbeddedRig, secrets: EmbeddedSecrets, phase: string): Promise<EmbeddedLine> {
  const [accepted, held]: [number[], number[]] = [[], []];
  for (let put = 0; put < rig.settings.PUTS; put += 1) {
    const took = await putUntilHeld(rig, secrets, put % rig.settings.SECRETS);
    accepted.push(took.accepted);
    held.push(took.held);
  }
  return {
    phase,
    p50Seconds: percentile(held, 50),
    p99Seconds: percentile(held, 99),
    acceptedP50Seconds: percentile(accepted, 50),
    acceptedP99Seconds: percentile(accepted, 99),
  };
}

/** Seconds until the library says that a version is accepted, and until the native Secret holds it. */
async function putUntilHeld(
  rig: EmbeddedRig,
  secrets: EmbeddedSecrets,
  index: number,
): Promise<{ readonly accepted: number; readonly held: number }> {
  const { namespace } = secrets.at(index);
  const value = secrets.newValue();
  const started = performance.now();
  const seen = rig.targets.holds(namespace, `ref-${index}`, value);
  const [accepted, held] = await Promise.all([secrets.put(index, value).then(() => performance.now()), seen]);
  return { accepted: (accepted - started) / 1000, held: (held - started) / 1000 };
}

/** From the start of another process until it is ready. What it then writes is nothing. */
async function restart(
  rig: EmbeddedRig,
  before: OperatorProcess,
): Promise<{ readonly line: EmbeddedLine; readonly operator: OperatorProcess }> {
  await before.stop();
  const api = await rig.apiCounts();
  const started = performance.now();
  const operator = await rig.startOperator();
  await whenReady(operator);
  const readySeconds = (performance.now() - started) / 1000;
  // What is decided late is written late, or not at all.
  await delay(10_000);
  const { cpuSeconds } = await usageOf(operator.pid);
  const { writes, secretReads, embeddedCalls } = await requestsSince(rig, { api });
  const line = {
    phase: 'restart',
    readySeconds,
    cpuSeconds,
    apiWrites: writes,
    secretReads,
    embeddedReads: embeddedCalls - writes,
  };
  return { operator, line: { ...line, ...(await sizeOf(operator)) } };
}

async function sizeOf(operator: OperatorProcess): Promise<Record<'rssMiB' | 'peakRssMiB' | 'heapMiB', number>> {
  const { rssMiB, peakRssMiB } = await usageOf(operator.pid);
  return { rssMiB, peakRssMiB, heapMiB: (await operator.metric('nodejs_heap_size_used_bytes')) / 2 ** 20 };
}
