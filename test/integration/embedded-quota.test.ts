import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { type Cli, type Ended, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

const ofSecrets = 'count/versionedsecrets.keyferry.io';
const ofVersions = 'count/secretversions.keyferry.io';

let cli: Cli;

beforeAll(async () => {
  cli = await startCli();
});
afterAll(() => cli?.stop());

const countsSchema = z.object({
  status: z.object({ hard: z.record(z.string(), z.string()), used: z.record(z.string(), z.string()) }),
});

/** As docs/embedded.md shows it. Until the controller has counted what is there, the API server refuses for another reason. */
async function quota(namespace: string, hard: Record<string, string>, used: Record<string, string>): Promise<void> {
  await cli.world.apply({ kind: 'ResourceQuota', metadata: { name: 'secrets', namespace }, spec: { hard } });
  await eventually('what is there is counted', async () => {
    const { status } = countsSchema.parse(await cli.world.api.get('ResourceQuota', { namespace, name: 'secrets' }));
    expect(status).toEqual({ hard, used });
  });
}

/** Puts a canary, and gives it along with how the command ended. */
async function put(namespace: string, name: string): Promise<Ended & { readonly value: string }> {
  const value = cli.world.canary();
  return { value, ...(await cli.run(['put', name, '--create', '-n', namespace], { stdin: value })) };
}

/** A namespace with the secret db, of one version, and a reference to it. */
async function shop(): Promise<{ readonly namespace: string; readonly value: string }> {
  const namespace = await cli.world.namespace();
  const { code, value } = await put(namespace, 'db');
  expect(code).toBe(0);
  await cli.world.reference(namespace, 'db', { data: { password: { secret: 'db' } } });
  await cli.world.waitReady(namespace, 'db', 'Synced');
  return { namespace, value };
}

async function holds(namespace: string, data: object): Promise<void> {
  await eventually('the Secret follows', async () => {
    expect(await cli.world.secretData(namespace, 'db')).toEqual(data);
  });
}

const refusal = (namespace: string, what: string): string =>
  `error: ResourceQuota secrets of namespace ${namespace} allows no more ${what}.keyferry.io (at most 1): ` +
  'delete what nobody needs, or have the quota raised';

describe('a quota of versions', () => {
  it('refuses a put in one line, and leaves latest and references as they are', async () => {
    const { namespace, value } = await shop();
    await quota(namespace, { [ofVersions]: '1' }, { [ofVersions]: '1' });

    const { code, out, notes } = await put(namespace, 'db');

    expect([code, out, notes]).toEqual([1, '', `${refusal(namespace, 'secretversions')}\n`]);
    expect(JSON.parse(await cli.ok(['show', 'db', '-n', namespace, '-o', 'json']))).toMatchObject({ latest: 1 });
    expect(await cli.world.api.list('SecretVersion', namespace)).toHaveLength(1);
    expect((await cli.world.ready(namespace, 'db')).reason).toBe('Synced');
    expect(await cli.world.secretData(namespace, 'db')).toEqual({ password: value });
  });

  it('takes the next number once there is room again', async () => {
    const { namespace } = await shop();
    await quota(namespace, { [ofVersions]: '1' }, { [ofVersions]: '1' });
    expect((await put(namespace, 'db')).code).toBe(1);

    await quota(namespace, { [ofVersions]: '2' }, { [ofVersions]: '1' });
    const { notes, out, value } = await put(namespace, 'db');

    expect([notes, out]).toEqual(['', `Version 2 of secret db in namespace ${namespace} is latest.\n`]);
    await holds(namespace, { password: value });
  });

  it('says of a secret that was made for the refused version that it is empty, which the next put fills', async () => {
    const { namespace } = await shop();
    await quota(namespace, { [ofVersions]: '1' }, { [ofVersions]: '1' });

    const { code, notes } = await put(namespace, 'api.key');

    const left = 'Secret api.key was made, and has no version yet';
    expect([code, notes]).toEqual([1, `${refusal(namespace, 'secretversions')}. ${left}\n`]);
    await eventually('the list says so too', async () => {
      expect(await cli.ok(['list', '-n', namespace])).toMatch(/^api\.key .* Empty$/m);
    });
    await quota(namespace, { [ofVersions]: '2' }, { [ofVersions]: '1' });
    expect((await put(namespace, 'api.key')).out).toContain('Version 1 of secret api.key');
  });
});

describe('a quota of secrets', () => {
  it('refuses another secret in one line and leaves nothing of it, while those there take values', async () => {
    const { namespace } = await shop();
    await quota(namespace, { [ofSecrets]: '1' }, { [ofSecrets]: '1' });

    const { code, out, notes } = await put(namespace, 'api.key');

    expect([code, out, notes]).toEqual([1, '', `${refusal(namespace, 'versionedsecrets')}\n`]);
    expect(await cli.world.api.list('VersionedSecret', namespace)).toHaveLength(1);
    expect(await cli.world.api.list('SecretVersion', namespace)).toHaveLength(1);
    const next = await put(namespace, 'db');
    expect(next.out).toContain('Version 2 of secret db');
    await holds(namespace, { password: next.value });
  });
});

itLeaksNothing(() => cli.world);
