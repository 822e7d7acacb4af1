import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { createKms } from '../../src/managers/aws/kms.ts';
import { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import { wrapKey, wrappedText } from '../../src/managers/embedded/sealing/wrapped-key.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { eventually } from '../operator/eventually.ts';
import { startOperator, whenReady } from '../operator/operator-process.ts';
import { type Cli, type Ended, startCli } from './cli-support.ts';
import { awsRegion } from './world-aws.ts';
import { itLeaksNothing } from './world-scan.ts';

const name = 'keyferry-sealing-keys';
const where = { namespace: 'keyferry', name };
const alias = `alias/keyferry-${randomUUID()}`;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const secretSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  data: z.record(z.string(), z.string()),
});
const managerSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })) }),
});

let cli: Cli;
let folder: string;
/** ARNs of two keys: the operator's, and another. */
let kmsKey: string;
let otherKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-kms-'));
  const client = new KMSClient({ region: awsRegion, endpoint: inject('moto').url, credentials });
  const create = async (): Promise<string> => (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  [kmsKey, otherKey] = [await create(), await create()];
  await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: kmsKey }));
  client.destroy();
  cli = await startCli({ flags: [`--sealing-keys-kms-key-id=${alias}`] });
});
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command of somebody with rights in AWS. */
function keys(...args: readonly string[]): Promise<Ended> {
  const env = { AWS_ACCESS_KEY_ID: 'ann', AWS_SECRET_ACCESS_KEY: 'ann', AWS_ENDPOINT_URL_KMS: cli.world.motoUrl };
  return cli.run(['keys', ...args], { env });
}

async function stored(): Promise<z.infer<typeof secretSchema>> {
  return secretSchema.parse(await cli.world.api.get('Secret', where));
}

async function entries(): Promise<readonly string[]> {
  return Object.keys((await stored()).data).toSorted();
}

/** A namespace with a secret and a reference that has its value. */
async function sealedValue(): Promise<{ readonly namespace: string; readonly value: string }> {
  const { world } = cli;
  const namespace = await world.namespace();
  const value = world.canary();
  await cli.ok(['put', 'db', '--create', '-n', namespace], { stdin: value });
  await world.reference(namespace, 'db', { data: { key: { secret: 'db' } } });
  await world.waitReady(namespace, 'db', 'Synced');
  return { namespace, value };
}

async function restart(...flags: readonly string[]): Promise<void> {
  await cli.world.operator().stop();
  await cli.world.startOperator({ flags });
}

/** What the manager says once it is `status`. */
async function manager(status: 'True' | 'False', words = ''): Promise<string> {
  return eventually(`the manager is Ready: ${status} ${words}`, async () => {
    const found = managerSchema.parse(await cli.world.api.get('ClusterSecretManager', { name: 'default' }));
    const ready = found.status.conditions.find(({ type }) => type === 'Ready');
    if (ready?.status !== status || !ready.message.includes(words)) throw new Error(JSON.stringify(ready));
    return ready.message;
  });
}

describe('security rule 20: a sealing key that AWS KMS wraps', () => {
  it('is never kept as it is, and seals and opens as any other', async () => {
    const { namespace, value } = await sealedValue();

    expect(await cli.world.secretData(namespace, 'db')).toEqual({ key: value });
    const { data } = await stored();
    expect(Object.keys(data)).toEqual(['1.agekey.kms']);
    const text = Buffer.from(data['1.agekey.kms'] ?? '', 'base64').toString();
    expect(JSON.parse(text)).toMatchObject({ kmsKey, publicKey: expect.stringMatching(/^age1/) });
    expect(text + (await cli.world.logs())).not.toContain('AGE-SECRET-KEY');
    expect(await cli.ok(['keys', 'list', '-o', 'wide'])).toMatch(new RegExp(`1\\.agekey +current +1 .* ${kmsKey}`));
  });

  it('is opened once by each operator that starts, whatever it opens by it', async () => {
    const { world } = cli;
    await world.operator().stop();
    const before = world.backend.count('Decrypt');
    await world.startOperator();
    const { namespace } = await sealedValue();
    await cli.ok(['put', 'db', '-n', namespace], { stdin: world.canary() });

    expect(world.backend.count('Decrypt') - before).toBe(1);
  });

  it('goes on from memory while AWS KMS is down; who starts then says so, and opens once it is back', async () => {
    const { world } = cli;
    const { namespace, value } = await sealedValue();
    world.backend.handle(() => 'reset');
    await cli.ok(['put', 'other', '--create', '-n', namespace], { stdin: world.canary() });

    await restart();

    expect(await manager('False', 'has no age key in 1.agekey')).toContain('the connection to AWS KMS was lost');
    expect(await world.logs()).toContain('Values can not be sealed');
    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
    world.healBackend();
    await manager('True');
    await sealedValue();
  });

  it('is refused where it was wrapped for another cluster, or stands under another public key', async () => {
    const { world } = cli;
    const { data } = await stored();
    const [mine, theirs] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
    const kms = createKms({
      keyId: kmsKey,
      endpoint: world.motoUrl,
      credentials: () => Promise.resolve(credentials),
      principal: 'the test',
      clock: systemClock,
    });
    const wrapped = await wrapKey(kms, mine, 'another cluster', new AbortController().signal);
    const here = await world.kubectl('get', 'namespace', 'kube-system', '-o=jsonpath={.metadata.uid}');
    const swapped = { ...(await wrapKey(kms, mine, here, new AbortController().signal)), publicKey: theirs.publicKey };
    kms.close();
    for (const [index, bad] of [wrapped, swapped].entries()) {
      const entry = `${index + 7}.agekey.kms`;
      const patch = { data: { [entry]: Buffer.from(wrappedText(bad)).toString('base64') } };
      await world.kubectl('patch', 'secret', name, '-n', 'keyferry', '--type=merge', `-p=${JSON.stringify(patch)}`);
      await eventually('the log says that it does not open', async () => {
        expect(await world.logs()).toContain(`${index + 7}.agekey: KMS key ${alias} does not open it`);
      });
    }

    await sealedValue();
    const patch = { data: { '7.agekey.kms': null, '8.agekey.kms': null } };
    await world.kubectl('patch', 'secret', name, '-n', 'keyferry', '--type=merge', `-p=${JSON.stringify(patch)}`);
    expect(await entries()).toEqual(Object.keys(data));
  });

  it('is told by the key that it needs where the operator is told another, or none', async () => {
    await restart(`--sealing-keys-kms-key-id=${otherKey}`);
    const other = await manager('False', otherKey);
    await cli.world.operator().stop();
    await cli.world.startOperator({ flags: [`--sealing-keys-kms-key-id=alias/nothing`] });
    const missing = await manager('False', 'alias/nothing');

    expect(other).toContain(`It was wrapped by ${kmsKey}`);
    expect(missing).toContain(`It was wrapped by ${kmsKey}`);
    await restart();
    await manager('True');
  });
});

describe('keyferry keys with keys that AWS KMS wraps', () => {
  it('makes a new one wrapped as the old, has all sealed to it, and retires the old one', async () => {
    const { code, notes } = await keys('rotate');
    expect([code, notes]).toEqual([0, expect.stringContaining('new values are sealed to 2.agekey')]);
    expect(await entries()).toEqual(['1.agekey.kms', '2.agekey.kms']);
    await eventually('the manager shows the new key', async () => {
      const where = ['csmgr', 'default', '-o=jsonpath={.status.publicKey}'];
      expect(await cli.world.kubectl('get', ...where)).toBe(
        (await keys('list', '-o', 'json')).out.match(/(age1\w+)",\s+"fingerprint": "[^"]+",\s+"state": "current"/)?.[1],
      );
    });
    await cli.ok(['keys', 'trust', '--yes']);
    const { namespace, value } = await sealedValue();

    expect((await keys('reseal')).notes).toContain('every version is sealed to the key in use');
    expect((await keys('retire', '1', '--yes')).code).toBe(0);

    expect(await entries()).toEqual(['2.agekey.kms']);
    expect(await cli.world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('backs them up as they are, with the rights of whoever runs it, or says what is missing', async () => {
    const refused = await cli.run(['keys', 'backup', '--file', join(folder, 'none')], {
      env: { AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect([refused.code, refused.notes]).toEqual([1, expect.stringContaining('no AWS credentials of yours')]);

    expect((await keys('backup', '--file', join(folder, 'keys.backup'))).code).toBe(0);
    expect(await readFile(join(folder, 'keys.backup'), 'utf8')).toContain('2.agekey:');
    expect(await cli.ok(['keys', 'list'])).toMatch(/2\.agekey +current/);
  });

  it('restores them: they are wrapped again, and nothing of them stays as it was', async () => {
    const { world } = cli;
    const { namespace, value } = await sealedValue();
    await world.kubectl('delete', 'secret', name, '-n', 'keyferry');
    // Not by the command, so that kubectl keeps what it applied.
    await world.kubectl('apply', '-f', join(folder, 'keys.backup'));

    await eventually('they are wrapped', async () => expect(await entries()).toEqual(['2.agekey.kms']));
    expect(Object.keys((await stored()).metadata.annotations)).toEqual(['keyferry.io/current-key']);
    await manager('True');
    await cli.ok(['put', 'db', '-n', namespace], { stdin: world.canary() });
    expect((await keys('restore', join(folder, 'keys.backup'))).notes).toContain('was there already');
    expect(value).not.toBe('');
  });

  it('puts back by a restore what AWS KMS does not open any more', async () => {
    const { world } = cli;
    const { data } = await stored();
    const text = Buffer.from(data['2.agekey.kms'] ?? '', 'base64').toString();
    const broken = text.replace(/"ciphertext":"[^"]*"/, '"ciphertext":"AAAA"');
    const patch = { data: { '2.agekey.kms': Buffer.from(broken).toString('base64') } };
    await world.kubectl('patch', 'secret', name, '-n', 'keyferry', '--type=merge', `-p=${JSON.stringify(patch)}`);
    await restart();
    await manager('False', '2.agekey: KMS key');

    const { code, notes } = await keys('restore', join(folder, 'keys.backup'));

    expect([code, notes]).toEqual([0, expect.stringContaining('restored age1')]);
    await manager('True');
    await eventually('they are wrapped', async () => expect(await entries()).toEqual(['2.agekey.kms']));
  });

  it('goes back to keys that are kept as they are by a backup, and says so before', async () => {
    const { world } = cli;
    const { namespace } = await sealedValue();
    await world.operator().stop();
    const plain = await startOperator({ kubeconfig: world.operatorKubeconfig });
    try {
      await whenReady(plain);
      expect(await manager('False', '--sealing-keys-kms-key-id')).toContain('the operator runs without');

      await world.kubectl('delete', 'secret', name, '-n', 'keyferry');
      expect((await keys('restore', join(folder, 'keys.backup'))).code).toBe(0);

      await manager('True');
      expect(await entries()).toEqual(['2.agekey']);
      await cli.ok(['put', 'db', '-n', namespace], { stdin: world.canary() });
    } finally {
      await plain.stop();
    }
    await world.startOperator();
    await eventually('it is wrapped again', async () => expect(await entries()).toEqual(['2.agekey.kms']));
  });
});

itLeaksNothing(() => cli.world);
