import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seal } from '../../src/managers/embedded/sealing/envelope.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

const keysSecret = ['secret', 'keyferry-sealing-keys', '--namespace=keyferry'];
const keysSchema = z.object({
  keys: z.array(z.object({ entry: z.string(), publicKey: z.string(), state: z.string() })),
});
let cli: Cli;
let folder: string;
let namespace: string;

beforeAll(async () => {
  cli = await startCli();
  folder = await mkdtemp(join(tmpdir(), 'keyferry-keys-'));
  namespace = await cli.world.namespace();
});
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function keyOf(state: string): Promise<z.infer<typeof keysSchema>['keys'][number]> {
  const { keys } = keysSchema.parse(JSON.parse(await cli.ok(['keys', 'list', '-o', 'json'])));
  const found = keys.find((key) => key.state === state);
  if (found === undefined) throw new Error(`no key is ${state}`);
  return found;
}

const entry = (name: string): Promise<string> =>
  cli.world.kubectl('get', ...keysSecret, '-o', `jsonpath={.data.${name.replaceAll('.', '\\.')}}`);
const setEntry = (name: string, base64: string | null): Promise<string> =>
  cli.world.kubectl('patch', ...keysSecret, '--type=merge', `--patch=${JSON.stringify({ data: { [name]: base64 } })}`);

/** What a version in git looks like: portable, in nobody's name, sealed to one key. */
async function inGit(name: string, key: string, into = namespace): Promise<readonly object[]> {
  const place = { cluster: '', uid: '', namespace: into, secret: name, version: 1, type: '' };
  const data = await seal(SecretValue.fromString(cli.world.canary()), place, key);
  const apiVersion = 'keyferry.io/v1';
  return [
    { apiVersion, kind: 'VersionedSecret', metadata: { name, namespace: into }, spec: { sealing: 'Portable' } },
    {
      apiVersion,
      kind: 'SecretVersion',
      metadata: { name: `${name}-1`, namespace: into },
      spec: { secret: name, version: 1, sealed: [{ key, data }] },
    },
  ];
}

/** As the service account of a tool, which names nobody. */
async function apply(objects: readonly object[]): Promise<void> {
  const as = [
    '--as=system:serviceaccount:gitops:tool',
    '--as-group=system:masters',
    '--as-group=system:serviceaccounts',
  ];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await runKubectl(cli.world.cluster, ['apply', '--server-side', ...as, '-f', '-'], list);
}

async function becomes(name: string, words: string): Promise<void> {
  await eventually(`${name} says ${words}`, async () => {
    expect(
      await cli.world.kubectl('get', 'secretversion', name, '-n', namespace, '-o', 'jsonpath={.status}'),
    ).toContain(words);
  });
}

const put = (name: string) => cli.run(['put', name, '--create', '-n', namespace], { stdin: cli.world.canary() });
const reveal = (name: string) => cli.run(['reveal', name, '-n', namespace, '--reason', 'a test', '-o', 'raw']);

describe('security rule 20: one sealing key that is broken', () => {
  it('stops what is sealed to it, which waits, and nothing else', async () => {
    expect((await put('before')).code).toBe(0);
    const old = await keyOf('current');
    await cli.ok(['keys', 'rotate']);
    await eventually('the new key is published', async () => {
      const { publicKey } = await keyOf('current');
      const shown = await cli.world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.status.publicKey}');
      expect(shown).toBe(publicKey);
    });
    await cli.ok(['keys', 'trust', '--yes']);
    const whole = await entry(old.entry);
    await setEntry(old.entry, Buffer.from('AGE-SECRET-KEY-1NONE').toString('base64'));
    await eventually('the log names it', async () =>
      expect(await cli.world.logs()).toContain(`no age key in ${old.entry}`),
    );

    await apply(await inGit('waits', old.publicKey));
    await becomes('waits-1', 'SealingKeyMissing');
    const after = await put('after');
    const [closed, open] = [await reveal('before'), await reveal('after')];

    expect([after.code, closed.code, open.code]).toEqual([0, 1, 0]);
    expect(closed.notes).toContain(`no age key in ${old.entry}`);
    expect(await keyOf('broken')).toMatchObject({ entry: old.entry });

    await setEntry(old.entry, whole);
    await becomes('waits-1', 'Accepted');
    expect((await reveal('before')).code).toBe(0);
  });
});

describe('security rule 20: an old sealing key', () => {
  it('opens nothing once it is retired, and opens again once it is restored', async () => {
    const backup = join(folder, 'before.backup');
    await cli.ok(['keys', 'backup', '--file', backup]);
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    await cli.world.kubectl('delete', 'vsec', 'waits', '-n', namespace);
    await cli.world.kubectl('delete', 'secretversion', 'waits-1', '-n', namespace, '--ignore-not-found');
    const old = await keyOf('old');
    await cli.ok(['keys', 'reseal', '--timeout', '60s']);
    await cli.ok(['keys', 'retire', old.entry, '--yes']);

    await apply(await inGit('late', old.publicKey));
    await becomes('late-1', 'InvalidSeal');
    expect((await reveal('before')).code).toBe(0);
    const stored = await cli.world.kubectl('get', 'secretversion', '-n', namespace, '-o', 'json', 'before-1');
    expect(stored).not.toContain(old.publicKey);

    await cli.ok(['keys', 'restore', backup]);
    await becomes('late-1', 'Accepted');
  });
});

describe('security rule 20: a cluster that is built again from a backup of its objects', () => {
  it('makes no second key beside what is sealed to the first, which has no status there', async () => {
    const backup = join(folder, 'all.backup');
    await cli.ok(['keys', 'backup', '--file', backup]);
    const { publicKey } = await keyOf('current');
    const objects = await inGit('rebuilt', publicKey);
    await cli.world.operator().stop('SIGKILL');
    await cli.world.kubectl('delete', 'namespace', namespace);
    await cli.world.kubectl('delete', ...keysSecret);
    await cli.world.namespace({ name: namespace });
    await apply(objects);

    await cli.world.startOperator();
    await eventually('the log says so', async () => {
      expect(await cli.world.logs()).toContain('SealingKeyMissing: Secret keyferry-sealing-keys');
    });
    await becomes('rebuilt-1', 'SealingKeyMissing');
    await expect(cli.world.kubectl('get', ...keysSecret)).rejects.toThrow('NotFound');

    await cli.ok(['keys', 'restore', backup]);
    await becomes('rebuilt-1', 'Accepted');
    expect((await keyOf('current')).publicKey).toBe(publicKey);
  });

  it('gets another key where somebody asks for one, and takes the first one back beside it', async () => {
    const backup = join(folder, 'first.backup');
    await cli.ok(['keys', 'backup', '--file', backup]);
    const { publicKey: first } = await keyOf('current');
    expect((await cli.run(['keys', 'create', '--yes'])).notes).toContain('keyferry keys rotate');
    await cli.world.kubectl('delete', ...keysSecret);
    expect((await cli.run(['keys', 'create'])).notes).toContain('nothing was done');

    const made = (await cli.ok(['keys', 'create', '--yes'])).trim();
    const refused = await eventually('the manager shows the new key', async () => {
      const shown = await cli.world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.status.publicKey}');
      expect(shown).toBe(made);
      return put('changed');
    });
    await cli.ok(['keys', 'restore', backup]);

    expect(made).not.toBe(first);
    expect(refused.code).toBe(1);
    expect(refused.notes).toContain('sealing key has changed');
    expect((await keyOf('current')).publicKey).toBe(made);
    await eventually('what was sealed to the first is open', async () =>
      expect((await reveal('rebuilt')).code).toBe(0),
    );
    expect(await readFile(backup, 'utf8')).not.toContain('AGE-SECRET-KEY');
  });
});

itLeaksNothing(() => cli.world);
