import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/v1/conditions.ts';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { itLeaksNothing } from './world-scan.ts';

let cli: Cli;
let embedded: EmbeddedSupport;

beforeAll(async () => {
  cli = await startCli();
  embedded = await openEmbedded(cli.world);
});
afterAll(async () => {
  await embedded?.close();
  await cli?.stop();
});

/** Puts into the secret db, which is made with the options where there is none. */
async function put(namespace: string, ...options: readonly string[]): Promise<void> {
  await cli.ok(['put', 'db', ...options, '-n', namespace], { stdin: cli.world.canary() });
}

async function rotateAfter(namespace: string, age: string): Promise<void> {
  await cli.ok(['edit', 'db', '--rotate-after', age, '-n', namespace]);
}

/** Waits for the condition, and gives it; undefined where it has none. */
function rotationDue(namespace: string, wanted: 'True' | 'False' | 'none'): Promise<Condition | undefined> {
  return eventually(`RotationDue is ${wanted}`, async () => {
    const { conditions = [] } = await embedded.status(namespace, 'db');
    const found = conditions.find(({ type }) => type === 'RotationDue');
    if ((found?.status ?? 'none') !== wanted) throw new Error(JSON.stringify(conditions));
    return found;
  });
}

/** What the list says of the only secret in the last column. */
async function statusColumn(namespace: string): Promise<string | undefined> {
  return (await cli.ok(['list', '-n', namespace])).trim().split(/\s+/).at(-1);
}

describe('a secret with rotateAfter', () => {
  it('is not due while latest is young, and says so', async () => {
    const namespace = await cli.world.namespace();

    await put(namespace, '--create', '--rotate-after', '90d');

    const condition = await rotationDue(namespace, 'False');
    expect(condition).toMatchObject({ reason: 'YoungEnough', message: 'no version is older than 90d' });
    expect(await statusColumn(namespace)).toBe('Available');
    const metrics = await cli.world.operator().metrics();
    expect(metrics).toContain(`keyferry_embedded_rotation_due{secret_namespace="${namespace}"} 0\n`);
    expect(metrics).toContain(`keyferry_embedded_oldest_latest_age_seconds{secret_namespace="${namespace}"} `);
  });

  it('becomes due by itself, and everybody is told', async () => {
    const namespace = await cli.world.namespace();

    await put(namespace, '--create', '--rotate-after', '3s');

    const condition = await rotationDue(namespace, 'True');
    expect(condition).toMatchObject({
      reason: 'TooOld',
      message: 'version 1 is older than 3s: put a new version',
    });
    expect(await statusColumn(namespace)).toBe('RotationDue');
    expect(await cli.world.kubectl('get', 'vsec', 'db', '-n', namespace, '-o', 'wide')).toMatch(
      /ROTATION-DUE[^]* True/,
    );
    await eventually('the metric and an event tell', async () => {
      const labels = { secret_namespace: namespace };
      expect(await cli.world.operator().metric('keyferry_embedded_rotation_due', labels)).toBe(1);
      const reasons = ['get', 'events', '-n', namespace, '-o', 'jsonpath={.items[*].reason}'];
      expect(await cli.world.kubectl(...reasons)).toContain('RotationDue');
    });
  });

  it('serves on while it is due, and the next version is measured by its own age', async () => {
    const namespace = await cli.world.namespace();
    await put(namespace, '--create', '--rotate-after', '1s');
    await rotationDue(namespace, 'True');
    await cli.world.reference(namespace, 'db', { data: { password: { secret: 'db' } } });
    await cli.world.waitReady(namespace, 'db', 'Synced');

    await put(namespace);

    await eventually('version 2 is due', async () => {
      const condition = await rotationDue(namespace, 'True');
      expect(condition?.message).toBe('version 2 is older than 1s: put a new version');
    });
  });

  it('is looked at anew when its age is changed', async () => {
    const namespace = await cli.world.namespace();
    await put(namespace, '--create');
    await rotationDue(namespace, 'none');

    await rotateAfter(namespace, '1s');
    await rotationDue(namespace, 'True');
    await rotateAfter(namespace, '1h');
    expect(await rotationDue(namespace, 'False')).toMatchObject({ message: 'no version is older than 1h' });
    expect(await statusColumn(namespace)).toBe('Available');
    await rotateAfter(namespace, '');

    expect(await rotationDue(namespace, 'none')).toBeUndefined();
  });
});

itLeaksNothing(() => cli.world);
