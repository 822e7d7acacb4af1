import { z } from 'zod';
import type { Stage } from '../stage.ts';
import { playKubelet } from './kubelet.ts';

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

async function setUp(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('mail');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db' } });
}

/** Workloads that are there before their Secret: the first content restarts nobody, nor does a second start of the operator. */
export async function consumersFirst(stage: Stage): Promise<void> {
  for (const kind of kinds) await stage.workload(kind, 'api', ['app']);
  await setUp(stage);
  await stage.settle();
  await stage.operators.a?.kill();
}

/** One consumer of each kind, and one that uses nothing; two rotations. */
export async function consumers(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  for (const kind of kinds) await stage.workload(kind, 'api', ['app']);
  await stage.workload('Deployment', 'bystander', []);
  await untilListed(stage, 'app', 3);
  await stage.put('db');
  await stage.settle();
  await stage.put('db');
}

/** A rotation that the operator sleeps through. */
export async function consumersWhileDown(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.workload('Deployment', 'api', ['app']);
  await stage.settle();
  await untilListed(stage, 'app', 1);
  await Promise.all(Object.values(stage.operators).map((operator) => operator.down()));
  await stage.put('db');
  await stage.put('mail');
  await Promise.all(Object.values(stage.operators).map((operator) => operator.up()));
}

/** Two targets of one workload, which change together, and then one of them. */
export async function severalTargets(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.reference('smtp', { password: { secret: 'mail' } });
  await stage.workload('Deployment', 'api', ['app', 'smtp']);
  await stage.settle();
  await untilListed(stage, 'app', 1);
  await untilListed(stage, 'smtp', 1);
  await Promise.all([stage.put('db'), stage.put('mail')]);
  await stage.settle();
  await stage.put('mail');
}

/** A rollout is undone by a person, who changes the image as well: nobody answers, until there is another version. */
export async function changedByPeople(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.workload('Deployment', 'api', ['app']);
  await stage.settle();
  await untilListed(stage, 'app', 1);
  await stage.put('db');
  await stage.settle();
  const undone = { metadata: { annotations: { 'keyferry.io/content.app': null } } };
  await stage.editWorkload('Deployment', 'api', { spec: { template: undone } });
  await stage.temptation();
  await stage.settle();
  await stage.annotate('SecretReference', 'app', { 'keyferry.io/sync': 'again' });
  await stage.put('mail');
  await stage.put('db');
}

/** The new version makes pods crash: the Secret goes back, and takes the version after. */
export async function guarded(stage: Stage): Promise<void> {
  const good = await stage.put('db');
  await stage.manager();
  const rollout = { settle: '1s', onFailure: 'Revert', progressDeadline: '2s' };
  await stage.reference('app', { password: { secret: 'db' } }, { rollout });
  await stage.settle();
  const kubelet = playKubelet(stage);
  try {
    await stage.workload('Deployment', 'api', ['app'], { replicas: 1, spec: { progressDeadlineSeconds: 2 } });
    await untilComplete(stage, 'app');
    await stage.until('the pod is available', () => isAvailable(stage));
    const bad = await stage.put('db');
    kubelet.fail(bad);
    await stage.until('the new version is taken', () => stage.versionHeld('app', 'db').includes(bad));
    if (await wentBack(stage, good)) {
      stage.expect('app', { state: 'Synced', held: { db: good } });
      await stage.settle();
      await untilComplete(stage, 'app');
    }
    await stage.put('db');
    stage.expect('app', { state: 'Synced' });
    await stage.settle();
    await untilComplete(stage, 'app');
  } finally {
    await kubelet.stop();
  }
}

const deploymentSchema = z.object({ status: z.object({ availableReplicas: z.int().default(0) }).prefault({}) });

function isAvailable(stage: Stage): boolean {
  const found = deploymentSchema.safeParse(stage.now('Deployment', 'api')?.object);
  return found.success && found.data.status.availableReplicas === 1;
}

/** False where the operator was not sure that all was well before, and says so: then it only tells of the failure. */
async function wentBack(stage: Stage, good: string): Promise<boolean> {
  const holds = (): boolean => stage.versionHeld('app', 'db').includes(good);
  const told = (): boolean => stage.consumersOf('app').some(({ message }) => message.includes('Not reverted'));
  await stage.until('the Secret goes back, or it is said why not', () => holds() || (told() && !stage.calm));
  return holds();
}

/** Until the ledger of a reference has so many workloads: before, nobody may be sure that they ran the content of then. */
async function untilListed(stage: Stage, reference: string, count: number): Promise<void> {
  await stage.until(`${count} consumers are known`, () => stage.consumersOf(reference).length === count);
}

async function untilComplete(stage: Stage, reference: string): Promise<void> {
  await stage.until('all consumers are complete', () => {
    const states = stage.consumersOf(reference).map(({ state }) => state);
    return states.length > 0 && states.every((state) => state === 'Complete');
  });
}
