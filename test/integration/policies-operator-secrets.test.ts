import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { kubectlIn, refusal } from './api-objects.ts';
import { applyRoles, operator, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const namespace = `policies-${randomUUID().slice(0, 8)}`;
const admin = kubectlIn(cluster, namespace);
const asOperator = kubectlIn(cluster, namespace, operator);

interface SecretParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

function secret(name: string, { type = 'Opaque', data = { key: 'dmFsdWU=' }, ...metadata }: SecretParts = {}): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, ...metadata }, type, data };
}

const owned = { 'keyferry.io/target': 'owned' };
const merged = { 'keyferry.io/target': 'merged' };
const adopt = { 'keyferry.io/adopt': 'true' };
const merge = { 'keyferry.io/merge': 'true' };
const uid = (value: string): Readonly<Record<string, string>> => ({ 'keyferry.io/reference-uid': value });

const create = (object: object): Promise<string | undefined> =>
  refusal(asOperator(['create', '--dry-run=server', '-f', '-'], object));

/** A patch that the operator makes of a Secret that an administrator has made. */
async function change(before: SecretParts, patch: object): Promise<string | undefined> {
  const name = `s-${randomUUID()}`;
  await admin(['create', '-f', '-'], secret(name, before));
  return refusal(
    asOperator(['patch', 'secret', name, '--type=merge', '--dry-run=server', `--patch=${JSON.stringify(patch)}`]),
  );
}

async function remove(before: SecretParts): Promise<string | undefined> {
  const name = `s-${randomUUID()}`;
  await admin(['create', '-f', '-'], secret(name, before));
  return refusal(asOperator(['delete', 'secret', name, '--dry-run=server']));
}

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await refusedWith(
    () => asOperator(['create', '--dry-run=server', '-f', '-'], secret('x')),
    'the label keyferry.io/target',
  );
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

describe('security rule 13: the operator may create', () => {
  test('a Secret with its label and its annotations', async () => {
    const annotations = {
      'keyferry.io/reference': 'shop/api-db',
      ...uid('u'),
      'keyferry.io/versions': 'db.password@3',
      'keyferry.io/content': 'c',
      'keyferry.io/previous': '',
      'example.com/note': 'x',
    };

    expect(await create(secret('new', { labels: { ...owned, team: 'shop' }, annotations }))).toBeUndefined();
  });

  test.each([
    ['without its label', {}, 'may write only Secrets that carry the label keyferry.io/target (owned or merged)'],
    [
      'with another value of it',
      { labels: { 'keyferry.io/target': 'mine' } },
      'may write only Secrets that carry the label',
    ],
    ['that is merged', { labels: merged }, 'the operator may not merge keys into Secret'],
    [
      'with a reserved label',
      { labels: { ...owned, 'app.kubernetes.io/managed-by': 'x' } },
      'may not set reserved labels: app.kubernetes.io/managed-by',
    ],
    [
      'with another label of ours',
      { labels: { ...owned, 'keyferry.io/x': 'x' } },
      'may not set reserved labels: keyferry.io/x',
    ],
    [
      'with a reserved annotation',
      { labels: owned, annotations: { 'argocd.argoproj.io/sync-options': 'x' } },
      'may not set reserved annotations: argocd.argoproj.io/sync-options',
    ],
    [
      'with the annotation of a service account',
      { labels: owned, annotations: { 'kubernetes.io/service-account.name': 'default' } },
      'may not set reserved annotations: kubernetes.io/service-account.name',
    ],
    [
      'that consents to be adopted',
      { labels: owned, annotations: adopt },
      'may not set reserved annotations: keyferry.io/adopt',
    ],
  ] satisfies readonly (readonly [string, SecretParts, string])[])('no Secret %s', async (_what, parts, says) => {
    expect(await create(secret('new', parts))).toContain(says);
  });

  test('security rule 10: no token of a service account, though its own account could', async () => {
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const token = secret('token', {
      type: 'kubernetes.io/service-account-token',
      labels: owned,
      annotations,
      data: {},
    });

    const message = await create(token);

    expect(message).toMatch(/may own no Secret of type kubernetes.io\/service-account-token|reserved annotations/);
    expect(await create(secret('x', { type: 'example.com/own', labels: owned }))).toContain(
      'the operator may own no Secret of type example.com/own, only: Opaque, kubernetes.io/tls',
    );
  });

  test.each(['sh.helm.release.v1.shop.v1', 'bootstrap-token-abcdef'])(
    'security rule 10: no Secret %s',
    async (name) => {
      expect(await create(secret(name, { labels: owned }))).toContain(`the operator may not touch Secret ${name}`);
    },
  );

  test.each(['sh.helm.release.v1.shop.v', 'bootstrap-token-'])(
    'security rule 10: no Secret whose name is made from %s',
    async (prefix) => {
      const object = { ...secret('x'), metadata: { generateName: prefix, labels: owned } };

      expect(await create(object)).toContain(`the operator may not touch Secret ${prefix}`);
    },
  );

  test.each(['kube-system', 'kube-public', 'kube-node-lease', 'keyferry'])(
    'security rule 10: no Secret in %s',
    async (system) => {
      const object = secret('new', { labels: owned });

      const message = await refusal(
        kubectlIn(cluster, system, operator)(['create', '--dry-run=server', '-f', '-'], object),
      );

      expect(message).toContain(`the operator may not touch Secrets of namespace ${system}`);
    },
  );
});

describe('security rule 20: of its own namespace the operator', () => {
  const own = 'keyferry';
  const keys = 'keyferry-sealing-keys';
  const current = { 'keyferry.io/current-key': '1.agekey' };
  const inOwn = (object: object): Promise<string | undefined> =>
    refusal(kubectlIn(cluster, own, operator)(['create', '--dry-run=server', '-f', '-'], object));

  test('may make the Secret with the first sealing key', async () => {
    expect(await inOwn(secret(keys, { annotations: current }))).toBeUndefined();
    expect(await inOwn(secret(keys))).toBeUndefined();
  });

  test.each([
    ['another Secret', secret(`${keys}-2`), 'may not touch Secrets of namespace keyferry'],
    ['one of another type', secret(keys, { type: 'example.com/own' }), 'may not touch Secrets'],
    ['one that is a target', secret(keys, { labels: owned }), 'may not touch Secrets of namespace keyferry'],
    [
      'one that consents to be adopted',
      secret(keys, { annotations: { ...current, ...adopt } }),
      'reserved annotations: keyferry.io/adopt',
    ],
    [
      'one with a reserved label',
      secret(keys, { labels: { 'app.kubernetes.io/name': 'x' } }),
      'reserved labels: app.kubernetes.io/name',
    ],
  ] satisfies readonly (readonly [string, object, string])[])('may not make %s', async (_what, object, says) => {
    expect(await inOwn(object)).toContain(says);
  });

  test('may not make it by a name that the server chooses', async () => {
    const object = { ...secret('x'), metadata: { generateName: keys } };

    expect(await inOwn(object)).toContain('may not touch Secrets of namespace keyferry');
  });

  test('may not make it elsewhere, nor the annotation on a target', async () => {
    expect(await create(secret(keys, { annotations: current }))).toContain(
      'may write only Secrets that carry the label',
    );
    expect(await create(secret('new', { labels: owned, annotations: current }))).toContain(
      'may not set reserved annotations: keyferry.io/current-key',
    );
  });

  test('may neither change nor delete it: that is for people', async () => {
    const people = kubectlIn(cluster, own);
    const itself = kubectlIn(cluster, own, operator);
    await people(['apply', '-f', '-'], secret(keys, { annotations: current }));
    const patch = JSON.stringify({ data: { '2.agekey': 'bmV3' } });
    const says = 'the operator may not touch Secrets of namespace keyferry';

    const changed = await refusal(itself(['patch', 'secret', keys, '--type=merge', '--dry-run=server', '-p', patch]));
    const removed = await refusal(itself(['delete', 'secret', keys, '--dry-run=server']));

    expect([changed?.includes(says), removed?.includes(says)]).toEqual([true, true]);
    expect(await refusal(people(['patch', 'secret', keys, '--type=merge', '-p', patch]))).toBeUndefined();
    expect(await refusal(people(['delete', 'secret', keys]))).toBeUndefined();
  });

  describe('may wrap its keys, and lose none by it:', () => {
    const people = kubectlIn(cluster, own);
    const itself = kubectlIn(cluster, own, operator);
    const [value, other] = ['b2xk', 'bmV3'];
    const both = { '1.agekey': value, '1.agekey.kms': other };
    const changed = async (data: Readonly<Record<string, string>>, patch: object): Promise<string | undefined> => {
      await people(['create', '-f', '-'], secret(keys, { annotations: current, data }));
      try {
        return await refusal(
          itself(['patch', 'secret', keys, '--type=merge', '--dry-run=server', '-p', JSON.stringify(patch)]),
        );
      } finally {
        await people(['delete', 'secret', keys]);
      }
    };

    test.each([
      ['wrapped ones come beside them', { '1.agekey': value }, { data: { '1.agekey.kms': other } }],
      ['those that are wrapped go', both, { data: { '1.agekey': null } }],
      [
        'what kubectl kept of them goes too',
        both,
        {
          data: { '1.agekey': null },
          metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': null } },
        },
      ],
    ])('%s', async (_what, data, patch) => {
      expect(await changed(data, patch)).toBeUndefined();
    });

    test.each([
      ['not that which is not wrapped goes', { ...both, '2.agekey': value }, { data: { '2.agekey': null } }],
      ['nothing wrapped goes', both, { data: { '1.agekey.kms': null } }],
      ['nothing wrapped changes', both, { data: { '1.agekey.kms': value } }],
      ['no plain one changes', both, { data: { '1.agekey': other } }],
      ['no plain one comes', both, { data: { '2.agekey': other } }],
      ['not both in one write', { '1.agekey': value }, { data: { '1.agekey': null, '1.agekey.kms': other } }],
      ['nothing else comes', both, { data: { x: other } }],
    ])('%s', async (_what, data, patch) => {
      expect(await changed(data, patch)).toContain('the operator may not touch Secrets of namespace keyferry');
    });

    test.each(['keyferry.io/current-key', 'keyferry.io/adopt'])('the annotation %s stays as it is', async (name) => {
      const patch = { data: { '2.agekey.kms': other }, metadata: { annotations: { [name]: 'true' } } };
      expect(await changed(both, patch)).toContain(`may not set reserved annotations: ${name}`);
    });
  });
});

const bytes = { data: { key: 'bmV3' } };
const labelled = (labels: object, annotations: object = {}): object => ({
  metadata: { labels, annotations },
  ...bytes,
});

describe('security rule 13: the operator may change', () => {
  test.each([
    ['what it owns', { labels: owned, annotations: uid('u') }, bytes],
    ['what it owns and somebody took the label off', { annotations: uid('u') }, labelled(owned)],
    ['what it has keys in', { labels: merged, annotations: merge }, bytes],
    ['what consents to be adopted', { annotations: adopt }, labelled(owned, uid('u'))],
    [
      'what another reference owned and consents to be adopted',
      { labels: owned, annotations: { ...uid('u'), ...adopt } },
      labelled(owned, uid('v')),
    ],
    [
      'what consents to merged keys, with what each reference says of its own',
      { annotations: merge },
      labelled(merged, {
        'keyferry.io/merged.u': 'api-db',
        'keyferry.io/content.u': 'c',
        'keyferry.io/previous.u': '',
      }),
    ],
    [
      'what another reference merges into as well',
      { labels: merged, annotations: { ...merge, 'keyferry.io/content.u': 'c', 'keyferry.io/previous.u': '' } },
      labelled(merged, { 'keyferry.io/content.v': 'd', 'keyferry.io/previous.v': 'c' }),
    ],
    [
      'what it lets go with what it says of it',
      { labels: merged, annotations: { ...merge, 'keyferry.io/content.u': 'c' } },
      {
        metadata: {
          labels: { 'keyferry.io/target': null },
          annotations: { 'keyferry.io/content.u': null, 'keyferry.io/previous.u': null },
        },
      },
    ],
    [
      'what it lets go',
      { labels: merged, annotations: merge },
      { metadata: { labels: { 'keyferry.io/target': null } } },
    ],
    [
      'what has reserved labels and annotations of others',
      { labels: { ...owned, 'app.kubernetes.io/name': 'x' }, annotations: { 'meta.helm.sh/release-name': 'x' } },
      bytes,
    ],
    [
      'a merged Secret of a type that it may not own',
      { type: 'example.com/own', labels: merged, annotations: merge },
      bytes,
    ],
  ] satisfies readonly (readonly [string, SecretParts, object])[])('%s', async (_what, before, patch) => {
    expect(await change(before, patch)).toBeUndefined();
  });

  test.each([
    ['nothing of a Secret that is not its own', {}, bytes, 'may write only Secrets that carry the label'],
    [
      'no Secret into its own',
      {},
      labelled(owned),
      'which is not its own: its owner may allow it by kubectl annotate secret',
    ],
    [
      'no Secret into its own that says no',
      { annotations: { 'keyferry.io/adopt': 'false' } },
      labelled(owned),
      'which is not its own',
    ],
    ['no Secret into its own and consent itself', {}, labelled(owned, adopt), 'which is not its own'],
    [
      'no Secret that consents to merged keys into its own',
      { labels: merged, annotations: merge },
      labelled(owned),
      'which is not its own',
    ],
    [
      'no Secret of one reference into that of another',
      { labels: owned, annotations: uid('u') },
      labelled(owned, uid('v')),
      'which is not its own',
    ],
    ['no Secret that does not consent to merged keys', {}, labelled(merged), 'keyferry.io/merge=true'],
    [
      'no Secret that consents to adoption only, by merging',
      { annotations: adopt },
      labelled(merged),
      'keyferry.io/merge=true',
    ],
    [
      'no reserved label of others',
      { labels: { ...owned, 'app.kubernetes.io/name': 'x' } },
      labelled({ 'app.kubernetes.io/name': 'y' }),
      'reserved labels: app.kubernetes.io/name',
    ],
    [
      'in what it owns no content of a merged reference',
      { labels: owned, annotations: uid('u') },
      labelled(owned, { 'keyferry.io/content.u': 'c' }),
      'may not set reserved annotations: keyferry.io/content.u',
    ],
    [
      'no consent by the way of merging',
      { labels: merged, annotations: merge },
      labelled(merged, { 'keyferry.io/content.u': 'c', ...adopt }),
      'may not set reserved annotations: keyferry.io/adopt',
    ],
    [
      'no adopted Secret of a type that it may not own',
      { type: 'example.com/own', annotations: adopt },
      labelled(owned),
      'may own no Secret of type example.com/own',
    ],
    [
      'no merged Secret of Helm',
      { type: 'helm.sh/release.v1', labels: merged, annotations: merge },
      bytes,
      'may not write Secrets of type helm.sh/release.v1',
    ],
  ] satisfies readonly (readonly [string, SecretParts, object, string])[])('%s', async (_what, before, patch, says) => {
    expect(await change(before, patch)).toContain(says);
  });
});

describe('security rule 13: the operator may delete', () => {
  test('what it owns', async () => {
    expect(await remove({ labels: owned })).toBeUndefined();
    expect(await remove({ annotations: uid('u') })).toBeUndefined();
  });

  test.each([
    ['nothing that is not its own', {}],
    ['nothing that it only has keys in', { labels: merged }],
    ['nothing for consent alone', { annotations: adopt }],
  ] satisfies readonly (readonly [string, SecretParts])[])('%s', async (_what, before) => {
    expect(await remove(before)).toContain('the operator may delete only what it owns');
  });
});

describe('other people', () => {
  test('may do with Secrets what their roles allow', async () => {
    const name = `s-${randomUUID()}`;

    await admin(['create', '-f', '-'], secret(name, { labels: owned, annotations: adopt }));

    expect(await refusal(admin(['delete', 'secret', name]))).toBeUndefined();
  });
});
