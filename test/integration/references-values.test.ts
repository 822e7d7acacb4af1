import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';

const run = `values-${randomUUID().slice(0, 8)}`;
let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
});
afterAll(() => world?.stop());

describe('a reference', () => {
  it('keeps its Secret equal to the latest version', async () => {
    const namespace = await world.namespace();
    const [first, second] = [world.canary(), world.canary()];
    await world.aws.put(`${run}/latest`, first);

    await world.reference(namespace, 'db', { data: { password: { secret: `${run}/latest` } } });
    await world.waitReady(namespace, 'db', 'Synced');

    expect(await world.secretData(namespace, 'db')).toEqual({ password: first });
    await world.aws.put(`${run}/latest`, second);
    await eventually('the rotation is seen', async () =>
      expect(await world.secretData(namespace, 'db')).toEqual({ password: second }),
    );
  });
});
