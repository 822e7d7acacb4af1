import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

let cli: Cli;
let folder: string;
/** Where the secret is that git owns. */
let sealed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-operations-'));
  cli = await startCli();
});
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A namespace with a secret db.password, and a reference db to it that is synced. */
async function shop(): Promise<string> {
  const namespace = await cli.world.namespace();
  await cli.ok(['put', 'db.password', '--create', '-n', namespace], { stdin: cli.world.canary() });
  await cli.world.reference(namespace, 'db', { data: { password: { secret: 'db.password' } } });
  await cli.world.waitReady(namespace, 'db', 'Synced');
  return namespace;
}

/** A Deployment without pods that uses the Secret db: it is through as soon as its template is marked. */
async function consumer(namespace: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
  const labels = { app: 'api' };
  const container = { name: 'app', image: 'registry.example/app:1', envFrom: [{ secretRef: { name: 'db' } }] };
  await cli.world.apply({
    kind: 'Deployment',
    metadata: { name: 'api', namespace, annotations },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
  await eventually('the operator knows the consumer', async () => {
    const { consumers = [] } = await cli.world.status(namespace, 'db');
    expect(consumers.map(({ name }) => name)).toEqual(['api']);
  });
}

describe('references', () => {
  it('are listed with what they hold and who uses it', async () => {
    const namespace = await shop();
    await consumer(namespace);

    const list = await cli.ok(['refs', '-n', namespace]);
    expect(list).toContain('db.password@1');
    expect(list).toContain('Deployment/api');
    expect(await cli.ok(['refs', 'db', '-n', namespace])).toContain('fine (Synced)');
    expect(await cli.ok(['refs', '-A', '-o', 'json'])).toContain(`"namespace": "${namespace}"`);
    expect((await cli.run(['refs', 'dbs', '-n', namespace])).notes).toContain('did you mean db?');
  });

  it('are of secrets whose name kubectl shows as it is written', async () => {
    const namespace = await shop();
    await cli.ok(['put', 'API.key', '--create', '-n', namespace], { stdin: 'value' });

    const columns = await cli.world.kubectl('get', 'vsec', '-n', namespace, '--no-headers');

    expect(columns).toMatch(/^\S+ +API\.key +True /m);
    expect(columns).toMatch(/^db\.password +db\.password +True /m);
  });

  it('are synced now, and it is waited for', async () => {
    const namespace = await shop();

    expect((await cli.run(['sync', 'db', '-n', namespace])).notes).toContain('is synced: db.password@1');
  });

  it('are suspended and resumed', async () => {
    const namespace = await shop();

    await cli.ok(['suspend', 'db', '-n', namespace]);
    await cli.world.waitReady(namespace, 'db', 'Suspended');
    expect((await cli.run(['sync', 'db', '-n', namespace])).notes).toContain('first keyferry resume db');
    await cli.ok(['resume', 'db', '-n', namespace]);
    await cli.world.waitReady(namespace, 'db', 'Synced');
  });

  it('are suspended for a while, and go on by themselves after it', async () => {
    const namespace = await shop();

    await cli.ok(['suspend', 'db', '--for', '8s', '-n', namespace]);

    const { message } = await cli.world.waitReady(namespace, 'db', 'Suspended');
    expect(message).toMatch(/until \d{4}-\d\d-\d\dT/);
    expect((await cli.run(['sync', 'db', '-n', namespace])).notes).toContain('first keyferry resume db');
    const value = cli.world.canary();
    await cli.ok(['put', 'db.password', '-n', namespace], { stdin: value });
    await cli.world.waitReady(namespace, 'db', 'Synced');
    expect(await cli.world.secretData(namespace, 'db')).toEqual({ password: value });
  });
});

describe('keyferry explain', () => {
  it('walks a reference to its pods where all is well', async () => {
    const namespace = await shop();

    const walked = await cli.ok(['explain', 'db', '-n', namespace]);

    expect(walked).toContain('there is secret db.password');
    expect(walked).not.toMatch(/FAILED|unknown/);
  });

  it.each([
    ['a secret that is not there', { data: { a: { secret: 'none' } } }, 'SecretNotFound', /secret +FAILED.*none/],
    [
      'a version that is not there',
      { data: { a: { secret: 'db.password', version: '9' } } },
      'VersionNotFound',
      /version +FAILED.*9/,
    ],
    [
      'a property that is not there',
      { data: { a: { secret: 'db.password', property: 'x' } } },
      'InvalidValue',
      /value +FAILED/,
    ],
    [
      'a manager that is not there',
      { managerRef: { name: 'none' }, data: { a: { secret: 'x' } } },
      'ManagerNotFound',
      /manager +FAILED.*none/,
    ],
  ])('names the step at %s', async (_what, spec, reason, says) => {
    const namespace = await shop();
    await cli.world.reference(namespace, 'wrong', spec);
    await cli.world.waitReady(namespace, 'wrong', reason);

    const { code, out } = await cli.run(['explain', 'wrong', '-n', namespace]);

    expect(code).toBe(1);
    expect(out).toMatch(says);
  });

  it('names the rule that is missing on a shared manager', async () => {
    const [home, namespace] = [await cli.world.namespace(), await cli.world.namespace()];
    const access = [{ namespaces: { names: ['elsewhere'] }, secrets: ['*'] }];
    const spec = { embedded: { namespace: home }, access, contact: '#platform' };
    await cli.world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'org' }, spec });
    await cli.world.reference(namespace, 'db', { managerRef: { name: 'org' }, data: { a: { secret: 'App' } } });
    await cli.world.waitReady(namespace, 'db', 'AccessDenied');

    const { code, out } = await cli.run(['explain', 'db', '-n', namespace]);

    expect(code).toBe(1);
    expect(out).toContain(`ask #platform to add under access: - {namespaces: {names: ["${namespace}"]}`);
  });

  it('goes as far as somebody may see who may see little', async () => {
    const namespace = await shop();
    await cli.bind(namespace, 'vera');

    const walked = await cli.ok(['explain', 'db', '-n', namespace], { as: 'vera' });

    expect(walked).toContain('you may not read this Secret');
  });
});

describe('keyferry grant', () => {
  const put = (namespace: string, name: string, as: string) =>
    cli.run(['put', name, '-n', namespace], { stdin: cli.world.canary(), as });

  it('lets somebody put one secret and no other, and takes it back', async () => {
    const namespace = await shop();
    await cli.ok(['put', 'other', '--create', '-n', namespace], { stdin: 'value' });
    expect((await put(namespace, 'db.password', 'gus')).code).toBe(1);

    await cli.ok(['grant', 'put', 'DB.password', '--to', 'gus', '-n', namespace]);

    await eventually('gus may put it', async () => {
      expect(await put(namespace, 'db.password', 'gus')).toMatchObject({ code: 0 });
    });
    expect((await put(namespace, 'other', 'gus')).code).toBe(1);
    const asked = await cli.ok(['who-can', 'put', 'db.password', '-n', namespace]);
    expect(asked).toMatch(/User gus +Role keyferry-put-[0-9a-f]{8} by RoleBinding/);
    expect(await cli.ok(['who-can', 'put', 'other', '-n', namespace])).not.toContain('gus');

    await cli.ok(['grant', 'put', 'db.password', '--to', 'gus', '--revoke', '-n', namespace]);
    await eventually('gus may put it no more', async () => {
      expect((await put(namespace, 'db.password', 'gus')).code).toBe(1);
    });
    expect((await cli.run(['grant', 'put', 'db.password', '--to', 'gus', '--revoke', '-n', namespace])).code).toBe(1);
  });

  it('lets a group reveal, and somebody destroy', async () => {
    const namespace = await shop();
    await cli.ok(['put', 'db.password', '-n', namespace], { stdin: 'second' });
    await cli.ok(['grant', 'access', 'db.password', '--to', 'rita', '-n', namespace]);
    await cli.ok(['grant', 'destroy', 'db.password', '--to', 'dora', '-n', namespace]);

    const reveal = ['reveal', 'db.password', '--reason', 'a test', '-o', 'raw', '-n', namespace];
    await eventually('rita may reveal it', async () => {
      expect((await cli.run(reveal, { as: 'rita' })).out).toBe('second');
    });
    await eventually('dora may destroy the first', async () => {
      const destroy = ['delete', 'db.password', '--version', '1', '--yes', '-n', namespace];
      const out = 'Version 1 of secret db.password is destroyed.\n';
      expect(await cli.run(destroy, { as: 'dora' })).toMatchObject({ code: 0, out });
    });
    expect((await cli.run(reveal, { as: 'dora' })).code).toBe(1);
  });

  it('and the others note a slip, and do what was asked', async () => {
    const namespace = await shop();

    const granted = await cli.run(['grant', 'put', 'db.pasword', '--to', 'gus', '-n', namespace]);
    const asked = await cli.run(['who-can', 'use', 'nomanager']);
    const listed = await cli.run(['list', '-n', 'nosuch']);
    const status = await cli.run(['status', '-n', 'nosuch']);

    const no = `note: there is no VersionedSecret db.pasword in namespace ${namespace} (yet)`;
    expect(granted).toMatchObject({ code: 0, notes: expect.stringContaining(no) });
    expect(asked).toMatchObject({ code: 0, notes: expect.stringContaining('no ClusterSecretManager nomanager (yet)') });
    expect(listed).toMatchObject({
      code: 0,
      notes: expect.stringContaining('note: there is no namespace nosuch (yet)'),
    });
    expect(status).toMatchObject({
      code: 0,
      notes: expect.stringContaining('note: there is no namespace nosuch (yet)'),
    });
    expect((await cli.run(['list', '-n', namespace])).notes).toBe('');
  });

  it('gives nobody what the giver does not have', async () => {
    const namespace = await shop();
    await cli.bind(namespace, 'nora', 'edit');

    const { code, notes } = await cli.run(['grant', 'access', 'db.password', '--to', 'nora', '-n', namespace], {
      as: 'nora',
    });

    expect(code).toBe(1);
    expect(notes).toContain(`you may not grant access in namespace ${namespace}`);
  });

  it('prints manifests that kubectl takes', async () => {
    const namespace = await shop();
    const file = join(folder, 'grant.yaml');
    await writeFile(
      file,
      await cli.ok(['grant', 'use', 'default', '--to-serviceaccount', 'flux/sync', '--dry-run', '-n', namespace]),
    );

    await cli.world.kubectl('apply', '-f', file);

    const { out } = await cli.run(['who-can', 'use', 'default', '-n', namespace]);
    expect(out).toContain('ServiceAccount flux/sync');
    expect(out).toContain('stands for everyone who can create pods or tokens in namespace flux');
    expect(out).toContain('cluster-admin');
  });

  it('is asked about by somebody who may list nothing: it says so', async () => {
    const { code, notes } = await cli.run(['who-can', 'put', 'db.password', '-n', 'default'], { as: 'nobody' });

    expect(code).toBe(1);
    expect(notes).toContain('you may not list RoleBindings');
  });
});

describe('keyferry seal', () => {
  it('makes manifests without a cluster that kubectl applies, and adds versions to them', async () => {
    const namespace = await cli.world.namespace();
    sealed = namespace;
    const file = join(folder, 'api-key.yaml');
    const key = await cli.world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.status.publicKey}');
    const value = cli.world.canary();
    const offline = { env: { KUBECONFIG: '/nowhere' } };
    const args = ['seal', 'API.key', '-n', namespace, '--key', key];
    await writeFile(file, await cli.ok(args, { stdin: cli.world.canary(), ...offline }));
    await cli.ok(['seal', 'api.key', '--append', file], { stdin: value, ...offline });

    // Nobody's name stands in it: it is a service account that applies it, as a GitOps tool does.
    const tool = ['create', 'rolebinding', 'tool', '--clusterrole=keyferry-admin', '--serviceaccount=gitops:tool'];
    await cli.world.kubectl(...tool, '-n', namespace);
    await eventually('the tool may apply it', async () => {
      await cli.world.kubectl('apply', '-f', file, '--as', 'system:serviceaccount:gitops:tool');
    });

    await eventually('the second version is latest', async () => {
      const latest = ['get', 'vsec', 'api.key', '-n', namespace, '-o', 'jsonpath={.status.latest}'];
      expect(await cli.world.kubectl(...latest)).toBe('2');
    });
    await cli.world.reference(namespace, 'api', { data: { key: { secret: 'api.key' } } });
    await cli.world.waitReady(namespace, 'api', 'Synced');
    expect(await cli.world.secretData(namespace, 'api')).toEqual({ key: value });
  });
});

describe('keyferry rotate', () => {
  const rotate = (namespace: string, ...more: readonly string[]) =>
    cli.run(['rotate', 'db.password', '--generate', '--timeout', '40s', '-n', namespace, ...more]);

  it('follows the new version to the last consumer, and destroys the old one then', async () => {
    const namespace = await shop();
    await consumer(namespace);
    const got = join(folder, 'got');

    const { code, out, notes } = await rotate(namespace, '--before', `cat > ${got}`, '--destroy-old', '--yes');

    expect(notes).toContain('Version 1 of secret db.password is destroyed.');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`moved +${namespace}/db Deployment/api: runs it`));
    expect(await cli.world.secretData(namespace, 'db')).toEqual({ password: await readFile(got, 'utf8') });
    expect(notes + out).not.toContain(await readFile(got, 'utf8'));
    await rm(got);
  });

  it('puts nothing where the command before fails', async () => {
    const namespace = await shop();

    const { code, notes } = await rotate(namespace, '--before', 'exit 7');

    expect([code, notes.includes('exit code 7')]).toEqual([1, true]);
    expect(await cli.ok(['show', 'db.password', '-n', namespace, '-o', 'json'])).not.toContain('"version": 2');
  });

  it('runs no command before, where the value is too large to be put', async () => {
    const namespace = await shop();
    const ran = join(folder, 'ran');
    const args = ['rotate', 'db.password', '--before', `cat > ${ran}`, '-n', namespace];

    const { code, notes } = await cli.run(args, { stdin: new Uint8Array(65_537) });

    expect([code, notes]).toEqual([1, expect.stringContaining('has 65537 bytes: at most 65536 are taken')]);
    expect(await readdir(folder)).not.toContain('ran');
  });

  it('ends with 2 and keeps the old version where something still runs it', async () => {
    const namespace = await shop();
    await consumer(namespace, { 'keyferry.io/rollout': 'false' });
    await cli.world.reference(namespace, 'pinned', { data: { a: { secret: 'db.password', version: '1' } } });
    await cli.world.waitReady(namespace, 'pinned', 'Synced');

    const { code, out, notes } = await rotate(namespace, '--destroy-old', '--yes');

    expect({ code, notes }).toMatchObject({ code: 2 });
    expect(out).toMatch(new RegExp(`not restartable +${namespace}/db Deployment/api`));
    expect(out).toMatch(new RegExp(`pinned +${namespace}/pinned: key a names version 1`));
    expect(notes).toContain('so the old version stays');
    const kept = await cli.world.kubectl('get', 'sver', 'db.password-1', '-n', namespace, '-o', 'name');
    expect(kept).toContain('db.password-1');
  });
});

describe('the sealing keys', () => {
  const keys = (...args: readonly string[]) => cli.run(['keys', ...args]);

  it('are backed up, rotated and trusted again, and the old one stays while it is in use', async () => {
    const namespace = await shop();
    const file = join(folder, 'keys.backup');
    expect((await keys('list')).notes).toContain('not backed up yet');
    const nags = async (): Promise<boolean> => (await cli.ok(['status'])).includes('key in use was not backed up');
    await eventually('the status nags', async () => expect(await nags()).toBe(true));

    await cli.ok(['keys', 'backup', '--file', file]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await keys('list')).notes).toContain('backed up: ');
    await eventually('the status nags no more', async () => expect(await nags()).toBe(false));

    const rotated = await keys('rotate');
    const key = rotated.out.trim();
    await eventually('the manager shows the new key', async () => {
      expect(await cli.world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.status.publicKey}')).toBe(key);
    });
    expect(await nags()).toBe(true);
    expect(await cli.ok(['keys', 'list'])).toMatch(/2\.agekey +current +0 +age1/);
    expect((await keys('retire', '1', '--yes')).notes).toMatch(/versions are sealed to 1\.agekey/);
    const put = ['put', 'db.password', '-n', namespace];
    const refused = (await cli.run(put, { stdin: 'v' })).notes;
    expect(refused).toContain('keyferry keys trust');
    const first = /changed from (?<before>SHA256:\S+) to/.exec(refused)?.groups?.['before'] ?? '';
    expect(await keys('trust', '--fingerprint', first)).toMatchObject({ code: 1, notes: expect.stringContaining(key) });
    expect(await keys('trust', '--fingerprint', key.slice(0, -1))).toMatchObject({ code: 2 });
    const told = /keys trust --fingerprint (?<print>SHA256:\S+)/.exec(rotated.notes)?.groups?.['print'] ?? '';
    expect(await cli.ok(['keys', 'list'])).toContain(`${key}   ${told}`);
    await cli.ok(['keys', 'trust', '--fingerprint', told]);
    await cli.ok(put, { stdin: cli.world.canary() });
    expect(
      (await cli.run(['reveal', 'db.password', '--version', '1', '--reason', 'x', '-o', 'raw', '-n', namespace])).code,
    ).toBe(0);
  });

  it('are retired once every version is sealed to another', async () => {
    // What git owns stays as it stands there.
    expect((await keys('reseal', '--timeout', '60s')).notes).toContain('2 versions that git owns');
    await cli.world.kubectl('delete', 'sref', '--all', '-n', sealed);
    await eventually('nobody uses it any more', async () => {
      await cli.world.kubectl('delete', 'vsec,sver', '--all', '-n', sealed);
    });

    await eventually('nothing else is left', async () => expect((await keys('reseal')).code).toBe(0));
    const { notes } = await keys('reseal');
    expect(notes).toContain('every version is sealed to the key in use');
    expect(await cli.ok(['keys', 'list'])).toMatch(/1\.agekey +old +0 /);

    expect((await keys('retire', '2', '--yes')).notes).toContain('new values are sealed to 2.agekey');
    expect((await keys('retire', '1')).notes).toContain('confirm by --yes');
    expect((await keys('retire', '1', '--yes')).code).toBe(0);
    expect(await cli.ok(['keys', 'list'])).not.toContain('1.agekey');
  });

  it('come back from the backup', async () => {
    const file = join(folder, 'all.backup');
    await cli.ok(['keys', 'backup', '--file', file]);
    await cli.world.kubectl('delete', 'secret', 'keyferry-sealing-keys', '-n', 'keyferry');

    const { code, notes } = await keys('restore', file);

    expect([code, notes.includes('restored age1')]).toEqual([0, true]);
    expect(await cli.ok(['keys', 'list'])).toMatch(/2\.agekey +current/);
    await eventually('values can be sealed', async () => {
      await cli.ok(['put', 'again', '--create', '-n', 'default'], { stdin: 'value' });
    });
  });
});

describe('keyferry status', () => {
  it('says who leads, and what is broken', async () => {
    const namespace = await shop();
    await cli.world.reference(namespace, 'wrong', { data: { a: { secret: 'none' } } });
    await cli.world.waitReady(namespace, 'wrong', 'SecretNotFound');

    const said = await cli.ok(['status', '-n', namespace]);

    expect(said).toMatch(/Operator: +\S+, renewed \d+s ago/);
    expect(said).toContain('References: 1 broken, 0 stale, 0 waiting, 0 suspended, 1 fine');
    expect(said).toContain(`broken ${namespace}/wrong`);
  });

  it('says to somebody who may see little what is not shown', async () => {
    const { code, out: said, notes } = await cli.run(['status'], { as: 'nobody' });

    expect([code, notes]).toEqual([1, 'error: nothing could be read\n']);
    expect(said).toContain('Managers:   unknown');
    expect(said).toContain('Not shown: you may not read the lease');
    expect(said).toContain('Not shown: you may not read SecretReferences');
  });

  it('is of use with the operator dead: which Secrets are missing', async () => {
    const namespace = await shop();
    await cli.world.operator().stop();
    await cli.world.kubectl('delete', 'secret', 'db', '-n', namespace);

    const { code, out: said, notes } = await cli.run(['status', '-n', namespace]);

    expect([code, notes]).toEqual([1, 'error: no operator leads\n']);
    expect(said).toContain('no operator holds the lease since');
    expect(said).toContain(`Secret ${namespace}/db (SecretReference ${namespace}/db) is missing`);
    await cli.world.startOperator();
  });
});

describe('an operator that works in some namespaces only', () => {
  it('is named as the reason in all others, by put at once, by explain and by status', async () => {
    const [watched, other] = [await shop(), await cli.world.namespace()];
    await cli.world.operator().stop();
    await cli.world.startOperator({ flags: [`--watch-namespaces=${watched}`] });
    const says = `the operator watches only ${watched}`;
    // A manager that keeps its secrets in another namespace is down then, which is no matter here.
    const status = async (): Promise<string> => (await cli.run(['status'])).out;
    await eventually('the status says so', async () => expect(await status()).toContain(says));
    await cli.world.reference(other, 'db', { data: { a: { secret: 'db.password' } } });

    const put = await cli.run(['put', 'db.password', '--create', '-n', other], { stdin: 'value' });
    const explained = await cli.run(['explain', 'db', '-n', other]);

    expect(put).toMatchObject({ code: 1, notes: expect.stringContaining(`nothing was put: ${says}`) });
    expect(await cli.ok(['list', '-n', other, '-o', 'json'])).toBe('[]\n');
    expect(explained).toMatchObject({ code: 1, out: expect.stringContaining(says) });
    await cli.ok(['put', 'db.password', '-n', watched], { stdin: 'value' });
    await cli.world.operator().stop();
    await cli.world.startOperator();
    await eventually('it works everywhere', async () => expect(await status()).not.toContain(says));
  });
});

itLeaksNothing(() => cli.world);
