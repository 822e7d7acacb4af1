import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type Cli, type Ended, type RunOptions, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

const mine = { AWS_ACCESS_KEY_ID: 'ann', AWS_SECRET_ACCESS_KEY: 'ann' };
const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;
let cli: Cli;
let folder: string;
let namespace: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-cli-aws-'));
  cli = await startCli();
  await cli.world.manager({ name: 'aws', aws: { prefix: 'cli/' } });
  namespace = await cli.world.namespace();
});
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command of somebody with credentials in AWS. */
function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return cli.run([...args, '-n', namespace], { env: mine, ...options });
}

async function ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, out, notes } = await run(args, options);
  if (code !== 0) throw new Error(`keyferry ${args.join(' ')} ended with ${code}: ${notes}`);
  return out;
}

const aws = ['--manager', 'aws/aws'] as const;

describe('keyferry --manager aws/NAME', () => {
  it('puts a value below the prefix of the manager, and a new secret only where it is told to', async () => {
    const value = cli.world.canary();

    const refused = await run(['put', 'db.password', ...aws], { stdin: value });
    const out = await ok(['put', 'db.password', '--create', ...aws], { stdin: value });

    expect([refused.code, refused.notes]).toEqual([1, expect.stringContaining('there is no secret cli/db.password')]);
    expect(out).toMatch(/^Version \S+ of secret cli\/db.password in AWS \(ClusterSecretManager aws\) is latest\.\n$/);
    expect(await ok(['reveal', 'db.password', '-o', 'raw', ...aws])).toBe(value);
  });

  it('signs as whoever runs it, and says where that is nobody', async () => {
    const { backend } = cli.world;
    backend.forget();
    await ok(['list', ...aws]);
    const signed = backend.calls.filter(({ headers }) => headers['authorization']?.includes('Credential=ann/'));
    expect(signed.map(({ action }) => action)).toEqual(['ListSecrets']);

    const env = { AWS_EC2_METADATA_DISABLED: 'true' };
    const { code, notes } = await run(['list', ...aws], { env });
    expect([code, notes]).toEqual([1, expect.stringContaining('there are no AWS credentials of yours that work')]);
  });

  it('reads a profile, as the AWS CLI does', async () => {
    const env = {
      AWS_PROFILE: 'shop',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(import.meta.dirname, 'cli-aws.credentials'),
    };
    cli.world.backend.forget();
    const { code, notes } = await run(['list', ...aws], { env });
    expect([code, notes]).toEqual([0, expect.stringContaining('the endpoint of the manager')]);
    expect(cli.world.backend.calls.some(({ headers }) => headers['authorization']?.includes('profile-of-shop'))).toBe(
      true,
    );
  });

  it('lists in the columns of secrets in the cluster, with who uses them', async () => {
    await cli.world.aws.create('cli/listed', cli.world.canary(), { team: 'shop' });
    await cli.world.aws.create('elsewhere/listed', 'x');
    const managerRef = { kind: 'ClusterSecretManager', name: 'aws' };
    await cli.world.reference(namespace, 'listed', { managerRef, data: { key: { secret: 'listed' } } });
    await cli.world.waitReady(namespace, 'listed', 'Synced');

    const table = await ok(['list', ...aws]);
    const rows: unknown = JSON.parse(await ok(['list', '-o', 'json', ...aws]));

    expect(table).toMatch(/^NAME +TYPE +LATEST +UPDATED +CREATED-BY +USED-BY +STATUS\n/);
    expect(table).toMatch(/^listed +- +\S+ +\d+[smh] +- +1 +Available$/m);
    expect(table).not.toContain('elsewhere');
    expect(await ok(['list', '-o', 'wide', ...aws])).toContain('team=shop');
    expect(rows).toContainEqual(expect.objectContaining({ name: 'listed', users: 1, labels: { team: 'shop' } }));
    expect(await ok(['list', '--unused', ...aws])).not.toContain('listed ');
    expect((await run(['list', '-A', ...aws])).code).toBe(2);
  });

  it('shows versions with their stages and who holds them', async () => {
    const old = await cli.world.aws.create('cli/shown', cli.world.canary());
    const latest = await cli.world.aws.update('cli/shown', cli.world.canary());

    const text = await ok(['show', 'shown', ...aws]);

    expect(text).toMatch(new RegExp(`^${latest} +AWSCURRENT`, 'm'));
    expect(text).toMatch(new RegExp(`^${old} +AWSPREVIOUS`, 'm'));
    expect(text).toContain('No reference that can be seen uses it');
    expect(JSON.parse(await ok(['show', 'shown', '-o', 'json', ...aws]))).toMatchObject({
      latest,
      status: { versions: [{ version: latest, stages: ['AWSCURRENT'] }, { version: old }] },
    });
  });

  it('reveals into a pipe only where it is told to, an old version too, and says that CloudTrail has it', async () => {
    const value = cli.world.canary();
    const old = await cli.world.aws.create('cli/read', value);
    await cli.world.aws.update('cli/read', cli.world.canary());

    expect((await run(['reveal', 'read', ...aws])).code).toBe(2);
    const { out, notes } = await run(['reveal', 'read', '--version', old, '-o', 'raw', ...aws]);

    expect(out).toBe(value);
    expect(notes).toContain('CloudTrail records');
    expect((await run(['reveal', 'none', '-o', 'raw', ...aws])).notes).toContain('there is no secret cli/none');
  });

  it('rotates, and follows the new version to what uses it', async () => {
    await cli.world.aws.create('cli/rotated', cli.world.canary());
    const managerRef = { kind: 'ClusterSecretManager', name: 'aws' };
    await cli.world.reference(namespace, 'rotated', { managerRef, data: { key: { secret: 'rotated' } } });
    await cli.world.waitReady(namespace, 'rotated', 'Synced');
    const value = cli.world.canary();

    const { code, out, notes } = await run(['rotate', 'rotated', ...aws], { stdin: value });

    expect([code, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`moved +${namespace}/rotated: .*${uuid.source}`)),
    ]);
    expect(notes).toContain('References look every 1s');
    expect(await cli.world.secretData(namespace, 'rotated')).toEqual({ key: value });
  });

  it('changes nothing anywhere for a value that AWS does not take', async () => {
    await cli.world.aws.create('cli/small', cli.world.canary());
    const trace = join(folder, 'before');

    const { code, notes } = await run(['rotate', 'small', '--before', `cat > ${trace}`, ...aws], {
      stdin: 'x'.repeat(65_537),
    });

    expect([code, notes]).toEqual([1, expect.stringContaining('has 65537 bytes: AWS Secrets Manager takes at most')]);
    await expect(access(trace)).rejects.toThrow('ENOENT');
  });

  it('waits for nothing that is pinned to the version before', async () => {
    const version = await cli.world.aws.create('cli/pinned', cli.world.canary());
    const managerRef = { kind: 'ClusterSecretManager', name: 'aws' };
    await cli.world.reference(namespace, 'pinned', { managerRef, data: { key: { secret: 'pinned', version } } });
    await cli.world.waitReady(namespace, 'pinned', 'Synced');

    const { code, out } = await run(['rotate', 'pinned', ...aws], { stdin: cli.world.canary() });

    expect([code, out]).toEqual([2, expect.stringContaining(`names version ${version}`)]);
  });

  it.each([
    [['rollback', 'x'], 'update-secret-version-stage'],
    [['disable', 'x', '--version', '1'], 'versions have no such state there'],
    [['enable', 'x', '--version', '1'], 'versions have no such state there'],
    [['edit', 'x', '--description', 'y'], 'aws secretsmanager update-secret'],
    [['delete', 'x', '--yes'], 'aws secretsmanager delete-secret'],
    [['audit', 'x'], 'CloudTrail has it'],
    [['put', 'x', '--create', '--type', 'tls'], '--type is for secrets that are kept in the cluster'],
    [['rotate', 'x', '--destroy-old', '--yes'], '--destroy-old is for secrets that are kept in the cluster'],
  ])('refuses what AWS does not do, and says what to use: %o', async (args, words) => {
    const { code, notes } = await run([...args, ...aws], { stdin: 'value' });
    expect(code).not.toBe(0);
    expect(notes).toContain(words);
  });
});

describe('keyferry --manager NAME', () => {
  it('works in the namespace where a shared manager keeps its secrets, by any of its names', async () => {
    const home = await cli.world.namespace();
    const access = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];
    const spec = { embedded: { namespace: home }, access };
    await cli.world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'org' }, spec });
    const value = cli.world.canary();

    await eventually('the operator has given it a key', () =>
      cli.ok(['put', 'smtp', '--create', '--manager', 'embedded/org'], { stdin: value }),
    );

    for (const manager of ['org', 'embedded/org', 'ClusterSecretManager/org']) {
      expect(await cli.ok(['list', '--manager', manager])).toContain('smtp');
    }
    const args = ['reveal', 'smtp', '--reason', 'a test', '-o', 'raw', '--manager', 'org'];
    expect(await cli.ok(args)).toBe(value);
    expect(await cli.ok(['list', '-n', home])).toContain('smtp');
    const { code, notes } = await run(['list', '--manager', 'org']);
    expect([code, notes]).toEqual([2, expect.stringContaining(`keeps its secrets in namespace ${home}: leave out -n`)]);
  });

  it.each([
    ['aws/default', 'ClusterSecretManager default keeps its secrets in the cluster: --manager embedded/default'],
    ['embedded/aws', 'ClusterSecretManager aws keeps its secrets in AWS: --manager aws/aws'],
    ['none', 'there is no ClusterSecretManager and no SecretManager none'],
    ['a/b/c', '--manager takes the name of a manager'],
  ])('says what is wrong with %s', async (manager, words) => {
    const { code, notes } = await run(['list', '--manager', manager]);
    expect(code).not.toBe(0);
    expect(notes).toContain(words);
  });

  it('says what to ask for where the manager may not be read', async () => {
    const { code, notes } = await run(['list', '--manager', 'aws/aws'], { as: 'nobody', env: mine });
    expect([code, notes]).toEqual([1, expect.stringContaining('you may not read ClusterSecretManager aws')]);
  });
});

itLeaksNothing(() => cli.world);
