import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { createTaps, putCanary, refTo, type Tap, unique, untilHolds } from './faults-support.ts';
import { inParallel } from './kube-connection.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const EACH = 500;
const SECRETS = 50;
const POLL_SECONDS = 10;

let world: World;
let tap: Tap;
const taps = createTaps();

beforeAll(async () => {
  world = await startWorld();
  tap = await taps.open(world, { pollInterval: `${POLL_SECONDS}s` });
});
afterAll(async () => {
  await world.stop();
  await taps.close();
});

const secrets = Array.from({ length: SECRETS }, () => unique('db'));

function secretOf(index: number): string {
  return secrets[index % SECRETS] ?? '';
}

async function countBy(namespace: string): Promise<Readonly<Record<string, number>>> {
  const references = await world.api.list('SecretReference', namespace);
  const reasons = await Promise.all(
    references.map(async ({ metadata }) => (await world.ready(namespace, metadata.name)).reason),
  );
  return Object.fromEntries([...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => [reason, all.length]));
}

/** Writes of references and Secrets so far. Events of what was broken come in their own time. */
async function writes(): Promise<number> {
  return (await world.operatorWrites()).filter(({ objectRef }) => objectRef.resource !== 'events').length;
}

describe('500 broken references beside 500 good ones', () => {
  it('do not keep the good ones from syncing, nor from following a rotation, and cost no writes', async () => {
    const [good, broken] = [await world.namespace(), await world.namespace()];
    const values = new Map<string, string>();
    for (const secret of secrets) values.set(secret, await putCanary(world, secret));
    const managerRef = refTo(tap.manager);
    await inParallel(EACH, 8, async (index) => {
      const wrong = { managerRef, data: { password: { secret: unique('missing') } } };
      await world.reference(broken, `wrong-${index}`, wrong);
      await world.reference(good, `app-${index}`, { managerRef, data: { password: { secret: secretOf(index) } } });
    });

    for (let index = 0; index < EACH; index += 1) {
      await untilHolds(world, good, `app-${index}`, { password: values.get(secretOf(index)) ?? '' });
    }
    await eventually(
      'all have a condition',
      async () => {
        expect(await countBy(good)).toEqual({ Synced: EACH });
        expect(await countBy(broken)).toEqual({ SecretNotFound: EACH });
      },
      { deadline: 90_000, every: 1_000 },
    );

    await eventually('the manager has counted its users', async () => {
      const { status } = await world.api.get('ClusterSecretManager', { name: tap.manager });
      expect(status).toMatchObject({ referencesInUse: 2 * EACH, secretsInUse: EACH + SECRETS });
    });

    // Nothing changes now: three sweeps of all names, 20 a call, and not one write.
    const batches = (EACH + SECRETS) / 20;
    const [before, started] = [await writes(), performance.now()];
    tap.server.forget();
    await eventually(
      'three sweeps were made',
      () => {
        expect(tap.server.count('BatchGetSecretValue')).toBeGreaterThanOrEqual(3 * batches);
      },
      { deadline: 90_000 },
    );
    const sweeps = Math.ceil((performance.now() - started) / 1_000 / POLL_SECONDS) + 1;
    expect(await writes()).toBe(before);
    // Missing names that were asked for at different moments do not all share their calls at first.
    expect(tap.server.calls.length).toBeLessThanOrEqual(2 * sweeps * (batches + 1));

    const [first = ''] = secrets;
    const rotated = await putCanary(world, first);
    for (let index = 0; index < EACH; index += SECRETS) {
      await untilHolds(world, good, `app-${index}`, { password: rotated });
    }
    // A Secret and a status for each reference of that secret, and nothing else.
    await eventually('all wrote', async () => {
      expect(await writes()).toBe(before + (2 * EACH) / SECRETS);
    });
    expect(world.operator().ended()).toBeUndefined();
  });
});

itLeaksNothing(() => world);
