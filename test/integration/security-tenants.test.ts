import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type AwsServer, forwardTo, startAwsServer } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { operatorIdentity } from '../operator/install.ts';
import { foreignSecret, label, mark, target } from './targets-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `security-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;
/** A server of a tenant, who would like the operator to call it. */
let trap: AwsServer;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  await world.aws.put(`${run}/password`, world.canary());
  namespace = await world.namespace();
  trap = await startAwsServer((call) => forwardTo(world.backend.url)(call));
});
afterAll(async () => {
  await trap?.close();
  await world?.stop();
});

const data = { password: { secret: `${run}/password` } };
const fresh = (): string => `r-${randomUUID().slice(0, 8)}`;

/** The access key ids that called a server. */
function callersOf({ calls }: AwsServer): ReadonlySet<string> {
  const ids = calls.map((call) => /Credential=([^/]+)\//.exec(call.headers['authorization'] ?? '')?.[1] ?? 'nobody');
  return new Set(ids);
}

/** An installation whose CRD is older than the operator, and refuses less. */
async function dropRules(crd: string): Promise<void> {
  const text = await world.kubectl('get', 'crd', crd, '-o', 'json');
  const withoutRules: unknown = JSON.parse(text, (key, part: unknown) =>
    key === 'x-kubernetes-validations' ? undefined : part,
  );
  const { spec } = z.looseObject({ spec: z.unknown() }).parse(withoutRules);
  await world.kubectl('patch', 'crd', crd, '--type=merge', `--patch=${JSON.stringify({ spec })}`);
}

const namespacedManager = (name: string, aws: object): Promise<void> =>
  world.apply({ kind: 'SecretManager', metadata: { name, namespace }, spec: { aws, pollInterval: '1s' } });

describe('a SecretManager that slipped past a CRD without rules', () => {
  beforeAll(() => dropRules('secretmanagers.keyferry.io'));

  test("security rule 8: gets nothing of the operator's own identity", async () => {
    const name = fresh();
    await eventually('the CRD lets it through', () => namespacedManager(name, { region: 'eu-west-1' }));
    world.backend.forget();
    await world.reference(namespace, name, { managerRef: { kind: 'SecretManager', name }, data });

    const { message } = await world.waitReady(namespace, name, 'ManagerUnavailable');

    expect(message).toContain('a SecretManager needs credentials of its own');
    expect(world.backend.calls.filter((call) => call.body.includes(run))).toEqual([]);
    expect(await world.api.find('Secret', { namespace, name })).toBeUndefined();
  });

  test('security rule 8: is asked where the operator says, with its own keys and no role', async () => {
    const name = fresh();
    const keys = { 'access-key-id': 'TENANT', 'secret-access-key': world.canary() };
    await world.apply({ kind: 'Secret', metadata: { name: `${name}-keys`, namespace }, stringData: keys });
    world.backend.forget();
    await eventually('the CRD lets it through', () =>
      namespacedManager(name, {
        region: 'eu-west-1',
        endpoint: trap.url,
        proxy: trap.url,
        roleArn: 'arn:aws:iam::123456789012:role/operator',
        auth: { secretRef: { name: `${name}-keys` }, instanceMetadata: true },
      }),
    );
    await world.reference(namespace, name, { managerRef: { kind: 'SecretManager', name }, data });

    await world.waitReady(namespace, name, 'Synced');

    expect(trap.calls).toEqual([]);
    expect(callersOf(world.backend)).toEqual(new Set(['TENANT']));
    expect(world.backend.count('AssumeRole')).toBe(0);
  });
});

describe('security rule 11: a Secret', () => {
  test('that carries the marks of another reference is not written', async () => {
    const name = fresh();
    await foreignSecret(world, namespace, name);
    const annotations = { [mark('reference')]: `${namespace}/other`, [mark('reference-uid')]: randomUUID() };
    await world.api.patch('Secret', { namespace, name }, { metadata: { labels: { [label]: 'owned' }, annotations } });
    const before = await target(world, namespace, name);

    await world.reference(namespace, name, { data });
    const { message } = await world.waitReady(namespace, name, 'TargetConflict');

    expect(message).toContain(`belongs to SecretReference ${namespace}/other`);
    expect(await target(world, namespace, name)).toEqual(before);
  });

  test('that took the place of ours while nobody looked is not written', async () => {
    const name = fresh();
    await world.reference(namespace, name, { data });
    await world.waitReady(namespace, name, 'Synced');
    const operator = world.operator();
    operator.signal('SIGSTOP');
    try {
      await world.api.delete('Secret', { namespace, name });
      await foreignSecret(world, namespace, name);
    } finally {
      operator.signal('SIGCONT');
    }
    const before = await target(world, namespace, name);

    await world.waitReady(namespace, name, 'TargetConflict');

    expect(await target(world, namespace, name)).toEqual(before);
  });

  test('gets no merged key without its consent, nor one that others answer for', async () => {
    const name = fresh();
    const shared = { kind: 'Secret', metadata: { name, namespace }, stringData: { password: 'theirs' } };
    await world.api.create(shared);
    const before = await target(world, namespace, name);
    await world.reference(namespace, name, { data, target: { ownership: 'Merge' } });

    const first = await world.waitReady(namespace, name, 'TargetConflict');
    expect(first.message).toContain('does not consent to merged keys');
    expect(await target(world, namespace, name)).toEqual(before);

    await world.api.patch('Secret', { namespace, name }, { metadata: { annotations: { [mark('merge')]: 'true' } } });
    await eventually(
      'the key is told',
      async () => expect((await world.ready(namespace, name)).message).toContain('key password'),
      { deadline: 40_000 },
    );
    expect((await target(world, namespace, name)).data).toEqual({ password: 'theirs' });
  });
});

describe('with the policies deleted', () => {
  beforeAll(async () => {
    for (const policy of ['keyferry-references', 'keyferry-operator-secrets', 'keyferry-status']) {
      await world.kubectl('delete', 'validatingadmissionpolicybinding', policy);
    }
  });

  test.each(['kube-system', operatorIdentity.namespace])(
    'security rule 10: the operator itself writes no Secret into namespace %s',
    async (system) => {
      const name = fresh();
      await eventually('the policy is gone', () => world.reference(system, name, { data }));

      const { message } = await world.waitReady(system, name, 'TargetConflict');

      expect(message).toContain(`namespace ${system} belongs to the system or to Keyferry itself`);
      expect(await world.api.find('Secret', { namespace: system, name })).toBeUndefined();
    },
  );

  test('security rule 3: a status that somebody else wrote gets nothing that no rule grants', async () => {
    const name = fresh();
    const hidden = `${run}-hidden/one`;
    await world.aws.put(hidden, world.canary());
    await world.manager({
      name: 'narrow',
      access: [{ namespaces: { names: ['*'] }, secrets: [`${run}/*`] }],
    });
    const managerRef = { name: 'narrow' };
    const dataFrom = [{ find: { prefix: run }, keys: { style: 'EnvVar', stripPrefix: `${run}/` } }];
    await world.reference(namespace, name, { managerRef, dataFrom });
    await world.waitReady(namespace, name, 'Synced');
    const { versions: [held] = [] } = await world.status(namespace, name);
    const patch = JSON.stringify({ status: { versions: [held, { ...held, secret: hidden }] } });
    const args = ['patch', 'sref', name, '-n', namespace, '--subresource=status', '--type=merge', `--patch=${patch}`];

    await eventually('the policy is gone', () => world.kubectl(...args));
    await world.api.patch(
      'SecretReference',
      { namespace, name },
      { metadata: { annotations: { [mark('sync')]: '1' } } },
    );

    await world.waitReady(namespace, name, 'AccessDenied');
    expect(Object.keys(await world.secretData(namespace, name))).toEqual(['PASSWORD']);
  });
});

itLeaksNothing(() => world);
