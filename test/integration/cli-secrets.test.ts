import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

let cli: Cli;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-cli-'));
  cli = await startCli();
});
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

const reveal = (namespace: string, name: string, ...more: readonly string[]): Promise<string> =>
  cli.ok(['reveal', name, '-n', namespace, '--reason', 'a test', '-o', 'raw', ...more]);

/** A namespace with one secret, whose versions have the given values. */
async function withSecret(name: string, ...values: readonly string[]): Promise<string> {
  const namespace = await cli.world.namespace();
  for (const value of values) await cli.ok(['put', name, '--create', '-n', namespace], { stdin: value });
  return namespace;
}

describe('keyferry put', () => {
  it('takes a value from a pipe, and gives it back as it was, by any spelling of the name', async () => {
    const value = cli.world.canary();
    const namespace = await withSecret('App/Config', value);

    expect(await reveal(namespace, 'app/CONFIG')).toBe(value);
    expect(await cli.ok(['put', 'app/config', '-', '-n', namespace, '-o', 'json'], { stdin: 'next' })).toBe(
      `${JSON.stringify({ namespace, secret: 'App/Config', version: 2 }, null, 2)}\n`,
    );
  });

  it('takes bytes from a file', async () => {
    const bytes = randomBytes(1000);
    await writeFile(join(folder, 'bytes'), bytes);
    const namespace = await cli.world.namespace();

    await cli.ok(['put', 'bytes', '--create', '--file', join(folder, 'bytes'), '-n', namespace]);

    const args = ['reveal', 'bytes', '-n', namespace, '--reason', 'a test', '-o', 'raw'];
    // Through base64, so that the bytes come over as text.
    expect(Buffer.from((await cli.run(args)).bytes)).toEqual(bytes);
  });

  it('makes a random value, and shows it only where it is asked to', async () => {
    const namespace = await cli.world.namespace();
    const args = ['put', 'random', '--create', '--generate', '--length', '20', '--alphabet', 'hex', '-n', namespace];

    const shown = await cli.ok([...args, '--show-once']);
    const hidden = await cli.ok(args);

    expect(shown).toMatch(/^[0-9a-f]{20}\n$/);
    expect(await reveal(namespace, 'random', '--version', '1')).toBe(shown.trim());
    expect(hidden).toBe(`Version 2 of secret random in namespace ${namespace} is latest.\n`);
  });

  it('asks twice without echo at a terminal', async () => {
    const namespace = await cli.world.namespace();
    const value = cli.world.canary();

    const { code, out } = await cli.atTerminal(
      ['put', 'typed', '--create', '-n', namespace],
      [
        { at: 'Value (not shown): ', type: `${value}\r` },
        { at: 'Once more: ', type: `${value}\r` },
      ],
    );

    expect(code).toBe(0);
    expect(out).not.toContain(value);
    expect(await reveal(namespace, 'typed')).toBe(value);
  });

  it('refuses several lines that are pasted, and leaves none of them to the shell', async () => {
    const namespace = await cli.world.namespace();
    const lines = [cli.world.canary(), cli.world.canary()];

    const { code, out } = await cli.atTerminal(
      ['put', 'pasted', '--create', '-n', namespace],
      [{ at: 'Value (not shown): ', type: `${lines.join('\r')}\r` }],
    );

    expect([code, out]).toEqual([1, expect.stringContaining('several lines')]);
    expect(lines.filter((line) => out.includes(line))).toEqual([]);
    expect(await cli.ok(['list', '-n', namespace])).toBe('');
  });

  it('asks field by field at a terminal where the type has fields', async () => {
    const namespace = await cli.world.namespace();
    const args = ['put', 'login', '--create', '--type', 'basic-auth', '-n', namespace];

    const { code, out } = await cli.atTerminal(args, [
      { at: 'username', type: 'ann\r' },
      { at: 'password', type: 'correct horse\r' },
    ]);

    expect([code, out]).toEqual([0, expect.stringContaining('is latest')]);
    expect(JSON.parse(await reveal(namespace, 'login'))).toEqual({ username: 'ann', password: 'correct horse' });
  });

  it('refuses a value that stands in the arguments, without repeating it', async () => {
    const namespace = await cli.world.namespace();
    const value = cli.world.canary();
    for (const args of [
      ['put', 'arg', value, '--create'],
      ['put', 'arg', `--value=${value}`],
    ]) {
      const { code, out, notes } = await cli.run([...args, '-n', namespace]);
      expect(code).toBe(2);
      expect(out + notes).not.toContain(value);
    }
    expect(await cli.ok(['list', '-n', namespace])).toBe('');
  });

  it('needs --create for a name that is not there, and says which was probably meant', async () => {
    const namespace = await withSecret('db.password', 'one');

    const { code, notes } = await cli.run(['put', 'db.pasword', '-n', namespace], { stdin: 'two' });

    expect([code, notes.trim()]).toEqual([
      1,
      `error: there is no secret db.pasword in namespace ${namespace}. Did you mean db.password? To make it: keyferry put db.pasword --create`,
    ]);
  });

  it('refuses a value that its type does not take, before anything is stored', async () => {
    const namespace = await cli.world.namespace();
    const value = cli.world.canary();
    const args = ['put', 'login', '--create', '--type', 'basic-auth', '-n', namespace];

    const { code, notes } = await cli.run(args, { stdin: JSON.stringify({ username: value }) });

    expect([code, notes]).toEqual([1, expect.stringContaining('must have the property password')]);
    expect(notes).not.toContain(value);
    expect(await cli.ok(['list', '-n', namespace])).toBe('');
  });

  it('refuses a value that is too large, before anything is stored', async () => {
    const namespace = await cli.world.namespace();
    const args = ['put', 'big', '--create', '-n', namespace];

    const { code, notes } = await cli.run(args, { stdin: new Uint8Array(65_537) });

    expect([code, notes]).toEqual([1, expect.stringContaining('has 65537 bytes: at most 65536 are taken')]);
    expect(await cli.ok(['list', '-n', namespace])).toBe('');
  });

  it('says who may not put what, and what to ask for, which then helps', async () => {
    const namespace = await withSecret('db', 'one');
    await cli.bind(namespace, 'viewer');
    const put = ['put', 'db', '-n', namespace];
    const grant = ['grant', 'put', 'db', '--to', 'viewer', '-n', namespace];

    const { code, notes } = await cli.run(put, { stdin: 'two', as: 'viewer' });

    expect([code, notes]).toEqual([
      1,
      `error: viewer may not put secret db in namespace ${namespace}. Ask for: keyferry ${grant.join(' ')}\n`,
    ]);
    await cli.ok(grant);
    await eventually('the grant is in effect', () => cli.ok(put, { stdin: 'two', as: 'viewer' }));
  });

  it.each<readonly [string, string, readonly string[], (namespace: string) => string]>([
    [
      'reveal',
      'curious',
      ['reveal', 'db', '--reason', 'a test', '-o', 'raw'],
      (namespace) =>
        `access secret db in namespace ${namespace}. Ask for: keyferry grant access db --to curious -n ${namespace}`,
    ],
    [
      'make',
      'maker',
      ['put', 'new', '--create', '--generate'],
      (namespace) =>
        `create versionedsecrets new in namespace ${namespace}. Ask for: kubectl create rolebinding keyferry-member-maker --clusterrole=keyferry-member --user=maker -n ${namespace}`,
    ],
    [
      'destroy',
      'eraser',
      ['delete', 'db', '--yes'],
      (namespace) =>
        `destroy secret db in namespace ${namespace}. Ask for: keyferry grant destroy db --to eraser -n ${namespace}`,
    ],
  ])('says who may not %s what, and what to ask for', async (_what, user, args, says) => {
    const namespace = await withSecret('db', 'one');
    await cli.bind(namespace, user);

    const { code, notes } = await cli.run([...args, '-n', namespace], { as: user });

    expect([code, notes]).toEqual([1, expect.stringContaining(`error: ${user} may not ${says(namespace)}\n`)]);
  });

  it('says who may not list, and what to ask for, which then helps', async () => {
    const namespace = await withSecret('db', 'one');
    const list = ['list', '-n', namespace];
    const binding = [
      'create',
      'rolebinding',
      'keyferry-view-stranger',
      '--clusterrole=keyferry-view',
      '--user=stranger',
    ];

    const { code, notes } = await cli.run(list, { as: 'stranger' });

    expect([code, notes]).toEqual([
      1,
      `error: stranger may not list versionedsecrets in namespace ${namespace}. Ask for: kubectl ${binding.join(' ')} -n ${namespace}\n`,
    ]);
    await cli.world.kubectl(...binding, '-n', namespace);
    expect(await eventually('the role is in effect', () => cli.ok(list, { as: 'stranger' }))).toContain('db');
  });

  it('works for a member, who may not reveal what was put', async () => {
    const namespace = await cli.world.namespace();
    await cli.bind(namespace, 'member', 'keyferry-member');

    await cli.ok(['put', 'own', '--create', '-n', namespace], { stdin: 'one', as: 'member' });
    const args = ['reveal', 'own', '-n', namespace, '--reason', 'curious', '-o', 'raw'];
    const { code, out, notes } = await cli.run(args, { as: 'member' });

    expect([code, out]).toEqual([1, '']);
    expect(notes).toContain('member');
  });
});

describe('keyferry list and show', () => {
  it('show everything but the value', async () => {
    const value = cli.world.canary();
    const namespace = await withSecret('My Secret', 'one', value);
    await cli.ok(['edit', 'my secret', '--description', 'for tests', '--label', 'team=shop', '-n', namespace]);

    const list = await cli.ok(['list', '-n', namespace]);
    const shown = await cli.ok(['show', 'MY SECRET', '-n', namespace]);
    const json = await cli.ok(['show', 'my secret', '-n', namespace, '-o', 'json']);
    const yaml = await cli.ok(['list', '-n', namespace, '-o', 'yaml']);

    expect(list).toMatch(
      /^NAME +TYPE +LATEST +UPDATED +CREATED-BY +USED-BY +STATUS\nMy Secret +- +2 +\d+s +\S+ +0 +Available\n$/,
    );
    expect(shown).toMatch(/Description: +for tests\nLabels: +team=shop\n/);
    expect(shown).toMatch(/VERSION +STATE +STAGE[^\n]*\n2 +Enabled +latest[^\n]*\n1 +Enabled +previous/);
    expect(JSON.parse(json)).toMatchObject({ name: 'My Secret', latest: 2, labels: { team: 'shop' } });
    expect(yaml).toContain('name: My Secret');
    expect(list + shown + json + yaml).not.toContain(value);
  });

  it('of all namespaces, of those that nobody uses, and of those that are old', async () => {
    const namespace = await withSecret('lonely', 'one');

    const rows = (await cli.ok(['list', '-A', '--unused'])).split('\n').filter((line) => line.startsWith(namespace));
    const old = await cli.run(['list', '-n', namespace, '--older-than', '90d']);

    expect(rows).toHaveLength(1);
    expect([old.code, old.out, old.notes.trim()]).toEqual([
      0,
      '',
      `There is no such secret in namespace ${namespace}.`,
    ]);
  });
});

describe('keyferry reveal', () => {
  it('shows the value on a screen of its own, after a warning, and leaves', async () => {
    const value = cli.world.canary();
    const namespace = await withSecret('db', value);

    const { code, out } = await cli.atTerminal(
      ['reveal', 'db', '-n', namespace],
      [
        { at: 'audit log)? ', type: 'an outage\r' },
        { at: 'Enter to go on', type: '\r' },
        { at: 'Gone in 30 s', type: 'q' },
      ],
    );

    const [before = '', screen = '', after = ''] = out.split(/.\[\?1049[hl]/);
    expect([code, screen.includes(value), (before + after).includes(value)]).toEqual([0, true, false]);
    // What is noted is put into the status a little later, together.
    await expect
      .poll(() => cli.ok(['audit', 'db', '-n', namespace]), { timeout: 30_000 })
      .toMatch(/reveal +1 .*Allowed +an outage/);
  });

  it('writes nothing but the value into a pipe, and only where that is asked for', async () => {
    const namespace = await withSecret('db', 'one');
    const args = ['reveal', 'db', '-n', namespace, '--reason', 'a test'];

    const refused = await cli.run(args);
    const { out, notes } = await cli.run([...args, '-o', 'raw']);

    expect([refused.code, refused.out]).toEqual([2, '']);
    expect([out, notes]).toEqual(['one', '']);
  });

  it('asks nobody for a write-only secret', async () => {
    const namespace = await cli.world.namespace();
    await cli.ok(['put', 'sealed', '--create', '--write-only', '-n', namespace], { stdin: 'one' });

    const { code, notes } = await cli.run(['reveal', 'sealed', '-n', namespace, '--reason', 'x', '-o', 'raw']);

    expect([code, notes]).toEqual([1, expect.stringContaining('write-only')]);
  });
});

describe('versions', () => {
  it('roll back to the value of an earlier one, as a new one', async () => {
    const namespace = await withSecret('db', 'one', 'two');

    expect(await cli.ok(['rollback', 'db', '--to', '1', '-n', namespace])).toContain(
      'Version 3 of secret db is latest',
    );

    expect(await reveal(namespace, 'db')).toBe('one');
    const { code, notes } = await cli.run(['rollback', 'db', '--to', '7', '-n', namespace]);
    expect([code, notes.trim()]).toEqual([1, 'error: secret db has no version 7: it has 3, 2, 1']);
  });

  it('are disabled and enabled, but not the latest', async () => {
    const namespace = await withSecret('db', 'one', 'two');
    const first = ['db', '--version', '1', '-n', namespace];

    await cli.ok(['disable', ...first]);
    const hidden = await cli.run(['reveal', ...first, '--reason', 'a test', '-o', 'raw']);
    const latest = await cli.run(['disable', 'db', '--version', '2', '-n', namespace]);
    await cli.ok(['enable', ...first]);

    expect([hidden.code, hidden.notes]).toEqual([1, expect.stringContaining('disabled')]);
    expect([latest.code, latest.notes]).toEqual([1, expect.stringContaining('put another or roll back first')]);
    expect(await reveal(namespace, 'db', '--version', '1')).toBe('one');
  });
});

describe('keyferry delete', () => {
  it('does nothing where nobody confirms, nor where another name is typed', async () => {
    const namespace = await withSecret('db', 'one');

    const unasked = await cli.run(['delete', 'db', '-n', namespace]);
    const other = await cli.atTerminal(['delete', 'db', '-n', namespace], [{ at: 'to confirm: ', type: 'other\r' }]);

    expect([unasked.code, unasked.notes]).toEqual([1, expect.stringContaining('confirm by --yes')]);
    expect([other.code, other.out]).toEqual([1, expect.stringContaining('nothing was done')]);
    expect(await reveal(namespace, 'db')).toBe('one');
  });

  it('deletes once the name is typed, and says that it is final', async () => {
    const namespace = await withSecret('db', 'one');

    const { code, out } = await cli.atTerminal(
      ['delete', 'db', '-n', namespace],
      [{ at: 'to confirm: ', type: 'DB\r' }],
    );

    expect([code, out]).toEqual([0, expect.stringContaining('backups of etcd')]);
    expect(await cli.ok(['list', '-n', namespace])).toBe('');
  });

  it('refuses a secret in use with its users, and takes the protection off with --force', async () => {
    const namespace = await withSecret('db', 'one');
    await cli.world.reference(namespace, 'api-db', { data: { password: { secret: 'db' } } });
    await cli.world.waitReady(namespace, 'api-db', 'Synced');
    await expect.poll(() => cli.ok(['show', 'db', '-n', namespace]), { timeout: 30_000 }).toContain('api-db');

    const refused = await cli.run(['delete', 'db', '--yes', '-n', namespace]);
    const forced = await cli.run(['delete', 'db', '--yes', '--force', '-n', namespace]);

    expect([refused.code, refused.notes]).toEqual([1, expect.stringContaining('api-db')]);
    expect([forced.code, forced.notes]).toEqual([0, expect.stringContaining('What will break: 1 reference')]);
  });

  it('destroys one version, whose number never comes back', async () => {
    const namespace = await withSecret('db', 'one', 'two');

    await cli.ok(['delete', 'db', '--version', '1', '--yes', '-n', namespace]);
    const latest = await cli.run(['delete', 'db', '--version', '2', '--yes', '-n', namespace]);

    await expect.poll(() => cli.ok(['show', 'db', '-n', namespace]), { timeout: 30_000 }).toMatch(/Gone: +1 /);
    expect([latest.code, latest.notes]).toEqual([1, expect.stringContaining('is latest')]);
  });
});

it('keyferry types shows the types, and one as a form', async () => {
  expect(await cli.ok(['types'])).toMatch(/\nbasic-auth .*username, password/);
  expect(await cli.ok(['types', 'basic-auth'])).toMatch(/FIELD +TYPE +REQUIRED.*\nusername +string +yes/);
  const { code, notes } = await cli.run(['types', 'basic-aut']);
  expect([code, notes.trim()]).toEqual([1, 'error: there is no SecretType basic-aut. Did you mean basic-auth?']);
});

it('security rule 20: a key that changes without a word is refused until it is trusted', async () => {
  const namespace = await withSecret('db', 'one');
  const path = join(folder, 'keyferry', 'known-keys.json');
  const env = { XDG_CONFIG_HOME: folder };
  await cli.ok(['put', 'db', '-n', namespace], { stdin: 'two', env });
  const known = await readFile(path, 'utf8');
  await writeFile(path, known.replace(/SHA256:[^"]+/, 'SHA256:another'));

  const { code, notes } = await cli.run(['put', 'db', '-n', namespace], { stdin: 'three', env });

  expect([code, notes]).toEqual([1, expect.stringContaining('sealing key has changed from SHA256:another')]);
  expect(await reveal(namespace, 'db')).toBe('two');
});

itLeaksNothing(() => cli.world);
