import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seal } from '../../src/managers/embedded/sealing/envelope.ts';
import { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';

const name = 'keyferry-sealing-keys';
const secretSchema = z.object({
  metadata: z.object({ uid: z.string(), annotations: z.record(z.string(), z.string()) }),
  type: z.string(),
  data: z.record(z.string(), z.string()),
});
let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

async function keys(): Promise<z.infer<typeof secretSchema>> {
  return secretSchema.parse(
    JSON.parse(await world.kubectl('get', 'secret', name, '--namespace=keyferry', '--output=json')),
  );
}

/** Puts a value as git would: sealed to the key, for a portable secret. */
async function putVersion(namespace: string): Promise<void> {
  const { publicKey = '' } = (await SealingKey.parse(await keyText())) ?? {};
  const place = { cluster: '', namespace, secret: 'db', uid: '', version: 1, type: '' };
  const data = await seal(SecretValue.fromString(world.canary()), place, publicKey);
  const writer = { createdBy: 'ann', createdByGroups: ['system:masters'] };
  const apiVersion = 'keyferry.io/v1';
  const objects = [
    { apiVersion, kind: 'VersionedSecret', metadata: { name: 'db', namespace }, spec: { sealing: 'Portable' } },
    {
      apiVersion,
      kind: 'SecretVersion',
      metadata: { name: 'db-1', namespace },
      spec: { secret: 'db', version: 1, sealed: [{ key: publicKey, data }], ...writer },
    },
  ];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await runKubectl(world.cluster, ['create', '--as=ann', '--as-group=system:masters', '-f', '-'], list);
  await eventually('the version is accepted', async () => {
    const on = ['secretversion', 'db-1', `--namespace=${namespace}`];
    expect(await world.kubectl('get', ...on, '--output=jsonpath={.status}')).toContain('Accepted');
  });
}

async function keyText(): Promise<string> {
  return Buffer.from((await keys()).data['1.agekey'] ?? '', 'base64').toString();
}

describe('security rule 20: the sealing key', () => {
  it('is made once, in the namespace of the operator, and outlives it', async () => {
    const made = await eventually('the key is there', keys);
    await world.operator().stop('SIGKILL');
    await world.startOperator();

    expect(made.metadata.annotations['keyferry.io/current-key']).toBe('1.agekey');
    expect([made.type, Object.keys(made.data)]).toEqual(['Opaque', ['1.agekey']]);
    expect((await SealingKey.parse(await keyText()))?.publicKey).toMatch(/^age1/);
    expect((await keys()).metadata.uid).toBe(made.metadata.uid);
    expect(await world.logs()).not.toContain('AGE-SECRET-KEY');
  });

  it('is told as broken by the name of its entry where it is', async () => {
    const before = (await keys()).data['1.agekey'];
    const patch = (data: object): Promise<string> =>
      world.kubectl(
        'patch',
        'secret',
        name,
        '--namespace=keyferry',
        '--type=merge',
        `--patch=${JSON.stringify({ data })}`,
      );
    await patch({ '1.agekey': Buffer.from('AGE-SECRET-KEY-1BROKEN').toString('base64') });

    await eventually('the log names it', async () => {
      expect(await world.logs()).toContain(`Secret ${name} has no age key in 1.agekey`);
    });

    expect(await world.logs()).not.toContain('1BROKEN');
    await patch({ '1.agekey': before });
  });

  it('is not made anew where versions were accepted: it is to be restored', async () => {
    await putVersion(await world.namespace());
    await world.operator().stop('SIGKILL');
    await world.kubectl('delete', 'secret', name, '--namespace=keyferry');
    await world.startOperator();

    await eventually('the log says so', async () => {
      expect(await world.logs()).toContain('SealingKeyMissing: Secret keyferry-sealing-keys');
    });

    await expect(keys()).rejects.toThrow('NotFound');
    const writes = await world.operatorWrites();
    expect(
      writes.filter(({ objectRef }) => objectRef.namespace === 'keyferry' && objectRef.resource === 'secrets'),
    ).toHaveLength(1);
  });
});
