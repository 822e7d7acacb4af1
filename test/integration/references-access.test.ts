import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsError, forwardTo } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `access-${randomUUID().slice(0, 8)}`;
let world: World;

beforeAll(async () => {
  world = await startWorld({ flags: ['--trusted-namespace-labels=example.com/stage'] });
  await world.manager();
});
afterAll(() => world?.stop());

/** A manager of its own, whose secrets all begin with the run's name, and how to ask it. */
function managed(name: string): {
  readonly grant: (access: readonly object[], spec?: object) => Promise<void>;
  readonly refer: (namespace: string, reference: string, secret: string) => Promise<void>;
} {
  return {
    grant: (access, spec = {}) =>
      world.manager({
        name,
        access: access.map((rule) => ({ ...rule })),
        aws: { prefix: `${run}/` },
        spec: { ...spec },
      }),
    refer: async (namespace, reference, secret) => {
      await world.reference(namespace, reference, { managerRef: { name }, data: { key: { secret } } });
    },
  };
}

async function put(name: string): Promise<string> {
  const value = world.canary();
  await world.aws.put(`${run}/${name}`, value);
  return value;
}

function asked(secret: string): number {
  return world.backend.calls.filter((call) => call.body.includes(`${run}/${secret}`)).length;
}

describe('security rule 9: what no access rule grants', () => {
  it('is denied before the backend hears of it, with the rule to add and the contact', async () => {
    const namespace = await world.namespace();
    const { grant, refer } = managed('strict');
    await put('strict/password');
    await grant([{ namespaces: { names: ['somebody-else'] }, secrets: ['**'] }], { contact: '#platform' });

    await refer(namespace, 'db', 'strict/password');
    const { message } = await world.waitReady(namespace, 'db', 'AccessDenied');

    expect(message).toBe(
      `key key, secret strict/password: the access rules of ClusterSecretManager strict do not grant it to namespace ${namespace}. ` +
        `A rule that would: {namespaces: {names: ["${namespace}"]}, secrets: ["strict/password"]}. Contact: #platform.`,
    );
    expect(asked('strict/password')).toBe(0);
    expect(await world.api.find('Secret', { namespace, name: 'db' })).toBeUndefined();
  });

  it('is granted as soon as the suggested rule is added', async () => {
    const namespace = await world.namespace();
    const { grant, refer } = managed('heals');
    const value = await put('heals/password');
    await grant([{ namespaces: { names: ['somebody-else'] }, secrets: ['**'] }]);
    await refer(namespace, 'db', 'heals/password');
    await world.waitReady(namespace, 'db', 'AccessDenied');

    await grant([{ namespaces: { names: [namespace] }, secrets: ['heals/password'] }]);
    await world.waitReady(namespace, 'db', 'Synced');

    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });
});

describe('security rule 9: an access rule', () => {
  it.each<
    readonly [what: string, rule: (namespace: string) => object, granted: readonly string[], denied: readonly string[]]
  >([
    [
      'by the name of the namespace',
      (namespace) => ({ namespaces: { names: [namespace] }, secrets: ['shop/*'] }),
      ['shop/a', 'shop/.hidden'],
      ['shop', 'shop/a/b', 'shopping/a', 'SHOP/a'],
    ],
    [
      'by a glob over namespaces',
      (namespace) => ({ namespaces: { names: [`${namespace.slice(0, -2)}*`] }, secrets: ['a-*', 'b/**'] }),
      ['a-', 'a-b', 'b/c', 'b/c/d'],
      ['a', 'xa-b', 'a-b/c', 'b'],
    ],
    [
      'for every namespace',
      () => ({ namespaces: { names: ['*'] }, secrets: ['common/**'] }),
      ['common/a', 'common/a/b'],
      ['uncommon/a'],
    ],
    [
      "by {namespace}, the reference's own",
      () => ({ namespaces: { names: ['*'] }, secrets: ['{namespace}/**'] }),
      ['$NS/a', '$NS/a/b'],
      ['$NS-eu/a', 'other/a', 'other/$NS/a'],
    ],
    [
      'by the label that Kubernetes itself sets',
      (namespace) => ({
        namespaces: { selector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
        secrets: ['own/a'],
      }),
      ['own/a'],
      ['own/b'],
    ],
  ])('%s grants that and nothing else', async (_what, rule, granted, denied) => {
    const namespace = await world.namespace();
    const name = `rule-${randomUUID().slice(0, 8)}`;
    const { grant, refer } = managed(name);
    const named = (secret: string): string => secret.replaceAll('$NS', namespace);
    await grant([rule(namespace)]);
    // The operator may see a reference before its manager: what counts is what it comes to.
    const become = async (secrets: readonly string[], reason: string): Promise<readonly string[]> => {
      for (const [index, secret] of secrets.entries()) {
        await put(named(secret));
        await refer(namespace, `r-${index}`, named(secret));
      }
      const conditions = secrets.map((_secret, index) => world.waitReady(namespace, `r-${index}`, reason));
      return (await Promise.all(conditions)).map((condition) => condition.reason);
    };

    expect(await become(granted, 'Synced')).toEqual(granted.map(() => 'Synced'));
    expect(await become(denied, 'AccessDenied')).toEqual(denied.map(() => 'AccessDenied'));
  });

  it('needs both names and selector where both are given', async () => {
    const [both, one] = [
      await world.namespace({ labels: { 'example.com/stage': 'prod' } }),
      await world.namespace({ labels: { 'example.com/stage': 'test' } }),
    ];
    const { grant, refer } = managed('both');
    await put('both/a');
    const selector = { matchLabels: { 'example.com/stage': 'prod' } };
    await grant([{ namespaces: { names: [both, one], selector }, secrets: ['both/a'] }]);

    await refer(both, 'db', 'both/a');
    await refer(one, 'db', 'both/a');

    await world.waitReady(both, 'db', 'Synced');
    expect((await world.waitReady(one, 'db', 'AccessDenied')).message).toContain(`namespace ${one}`);
  });

  it('by a trusted label follows the namespace as its label changes', async () => {
    const namespace = await world.namespace();
    const { grant, refer } = managed('labelled');
    const value = await put('labelled/a');
    const selector = { matchExpressions: [{ key: 'example.com/stage', operator: 'In', values: ['prod', 'live'] }] };
    await grant([{ namespaces: { selector }, secrets: ['labelled/*'] }]);
    await refer(namespace, 'db', 'labelled/a');
    await world.waitReady(namespace, 'db', 'AccessDenied');

    await world.kubectl('label', 'namespace', namespace, 'example.com/stage=live');
    await world.waitReady(namespace, 'db', 'Synced');
    await world.kubectl('label', 'namespace', namespace, 'example.com/stage-');
    await world.waitReady(namespace, 'db', 'AccessDenied');

    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });

  it('by a label that tenants may set themselves grants nothing, and the manager says so', async () => {
    const namespace = await world.namespace({ labels: { team: 'shop' } });
    const { grant, refer } = managed('untrusted');
    await put('untrusted/a');
    await grant([{ namespaces: { selector: { matchLabels: { team: 'shop' } } }, secrets: ['untrusted/*'] }]);

    await refer(namespace, 'db', 'untrusted/a');
    await world.waitReady(namespace, 'db', 'AccessDenied');

    expect(asked('untrusted/a')).toBe(0);
    await eventually('the manager says so', async () => {
      const text = await world.kubectl('get', 'csmgr', 'untrusted', '-o', 'jsonpath={.status.conditions[0].message}');
      expect(text).toContain('uses the label team, which tenants may set themselves');
      expect(text).toContain('--trusted-namespace-labels');
    });
  });

  it('is checked on each result of find', async () => {
    const namespace = await world.namespace();
    const { grant } = managed('found');
    const value = await put('found.a');
    await put('found.b');
    await grant([{ namespaces: { names: [namespace] }, secrets: ['found.a'] }]);

    await world.reference(namespace, 'db', {
      managerRef: { name: 'found' },
      dataFrom: [{ find: { prefix: 'found.' } }],
    });
    await world.waitReady(namespace, 'db', 'Synced');

    expect(await world.secretData(namespace, 'db')).toEqual({ 'found.a': value });
    const reads = world.backend.calls.filter((call) => call.action !== 'ListSecrets');
    expect(reads.filter((call) => call.body.includes(`${run}/found.b`))).toEqual([]);
  });
});

describe('a rule that is withdrawn', () => {
  it.each([
    ['Retain', 'AccessDenied', ['a', 'b']],
    ['Delete', 'Synced', ['a']],
  ] as const)('for one of several found secrets follows onRevoked: %s', async (onRevoked, reason, left) => {
    const namespace = await world.namespace();
    const name = `partly-${onRevoked.toLowerCase()}`;
    const { grant } = managed(name);
    for (const key of ['a', 'b']) await put(`${name}.${key}`);
    await grant([{ namespaces: { names: [namespace] }, secrets: [`${name}.*`] }], { onRevoked });
    const keys = { style: 'AsIs', stripPrefix: `${name}.` };
    await world.reference(namespace, 'db', {
      managerRef: { name },
      dataFrom: [{ find: { prefix: `${name}.` }, keys }],
    });
    await world.waitReady(namespace, 'db', 'Synced');

    await grant([{ namespaces: { names: [namespace] }, secrets: [`${name}.a`] }], { onRevoked });

    await world.waitReady(namespace, 'db', reason);
    await eventually('the Secret has what is left', async () =>
      expect(Object.keys(await world.secretData(namespace, 'db')).toSorted()).toEqual(left),
    );
  });

  it.each([
    ['Retain', 'data', 'AccessDenied', 'do not grant it'],
    ['Retain', 'find', 'AccessDenied', 'do not grant it'],
    ['Delete', 'data', 'AccessDenied', 'do not grant it'],
    // Nothing is held any more, so that it is as if it had never been granted: nobody learns what is there.
    ['Delete', 'find', 'SecretNotFound', 'may read'],
  ] as const)('follows onRevoked: %s of a reference by %s', async (onRevoked, by, reason, says) => {
    const namespace = await world.namespace();
    const name = `revoked-${onRevoked.toLowerCase()}-${by}`;
    const { grant } = managed(name);
    const value = await put(`${name}.a`);
    await grant([{ namespaces: { names: [namespace] }, secrets: [`${name}.*`] }], { onRevoked });
    const wanted =
      by === 'data'
        ? { data: { [`${name}.a`]: { secret: `${name}.a` } } }
        : { dataFrom: [{ find: { prefix: `${name}.` } }] };
    await world.reference(namespace, 'db', { managerRef: { name }, ...wanted });
    await world.waitReady(namespace, 'db', 'Synced');

    await grant([{ namespaces: { names: [namespace] }, secrets: ['nothing'] }], { onRevoked });
    const { message } = await world.waitReady(namespace, 'db', reason);

    expect(message).toContain(says);
    const { versions = [], summary } = await world.status(namespace, 'db');
    const target = await world.api.find('Secret', { namespace, name: 'db' });
    const left = { data: target?.['data'], versions: versions.map(({ secret }) => secret), summary: summary !== '-' };
    expect(left).toEqual(
      onRevoked === 'Retain'
        ? { data: { [`${name}.a`]: Buffer.from(value).toString('base64') }, versions: [`${name}.a`], summary: true }
        : { data: undefined, versions: [], summary: false },
    );
  });

  it('and granted again brings the Secret back', async () => {
    const namespace = await world.namespace();
    const { grant, refer } = managed('again');
    const value = await put('again.a');
    const rule = { namespaces: { names: [namespace] }, secrets: ['again.a'] };
    await grant([rule], { onRevoked: 'Delete' });
    await refer(namespace, 'db', 'again.a');
    await world.waitReady(namespace, 'db', 'Synced');
    await grant([{ ...rule, secrets: ['nothing'] }], { onRevoked: 'Delete' });
    await world.waitReady(namespace, 'db', 'AccessDenied');

    await grant([rule], { onRevoked: 'Delete' });
    await world.waitReady(namespace, 'db', 'Synced');

    expect(await world.secretData(namespace, 'db')).toEqual({ key: value });
  });
});

describe('a backend that denies', () => {
  it('is AccessDenied with who may not do what, and S2: the Secret stays', async () => {
    const namespace = await world.namespace();
    const { grant, refer } = managed('denied');
    const value = await put('denied.a');
    await grant([{ namespaces: { names: ['*'] }, secrets: ['**'] }]);
    await refer(namespace, 'db', 'denied.a');
    await world.waitReady(namespace, 'db', 'Synced');

    const forward = forwardTo(world.motoUrl);
    const words = world.canary();
    world.backend.handle((call) =>
      call.action.endsWith('SecretValue') ? awsError('AccessDeniedException', `no, ${words}`) : forward(call),
    );
    const { message } = await world.waitReady(namespace, 'db', 'AccessDenied');
    const kept = await world.secretData(namespace, 'db');
    world.healBackend();

    expect(message).toContain(`key key, secret denied.a (ClusterSecretManager denied)`);
    expect(message).toContain('secretsmanager:GetSecretValue');
    expect(message).toContain('IAM policy');
    expect(message).not.toContain(words);
    expect(kept).toEqual({ key: value });
    await world.waitReady(namespace, 'db', 'Synced', 90_000);
  });
});

itLeaksNothing(() => world);
