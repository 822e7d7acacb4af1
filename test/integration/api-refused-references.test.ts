import { describe, expect, inject, test } from 'vitest';
import { goodData, kubectlIn, reference, refusal } from './api-objects.ts';

const kubectl = kubectlIn(inject('cluster'), 'default');

function create(object: unknown): Promise<string | undefined> {
  return refusal(kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object));
}

type Case = readonly [what: string, spec: unknown, says: string];

const withData = (more: object): object => ({ data: goodData, ...more });
const entry = (more: object): object => ({ data: { password: { secret: 'db.password', ...more } } });
const key = (name: string): object => ({ data: Object.fromEntries([[name, { secret: 'db.password' }]]) });
const shows = (metadata: object): object => withData({ template: { metadata } });

const selectors: readonly Case[] = [
  [
    'two version selectors',
    entry({ version: '3', stage: 'AWSPREVIOUS' }),
    'give version or stage, not both: {secret: db.password, version: "3"} or {secret: db.password, stage: AWSPREVIOUS}',
  ],
  [
    'two version selectors in dataFrom',
    { dataFrom: [{ extract: { secret: 'a', version: '3', stage: 'x' } }] },
    'give version or stage, not both',
  ],
  [
    'a default for a value that must be there',
    entry({ default: 'x' }),
    'default stands in for a value that may be missing: {secret: app/banner, optional: true, default: ""}',
  ],
  [
    'a default for a value that says it is not optional',
    entry({ default: 'x', optional: false }),
    '{secret: app/banner, optional: true, default: ""}',
  ],
  [
    'a plain string where an object belongs',
    { data: { password: 'db.password' } },
    'spec.data.password in body must be of type object: "string"',
  ],
  ['a number as a version', entry({ version: 3 }), 'spec.data.password.version in body must be of type string'],
  ['an entry without a secret', { data: { password: {} } }, 'spec.data.password.secret: Required value'],
  ['an empty name of a secret', { data: { password: { secret: '' } } }, 'should be at least 1 chars long'],
  [
    'a control character in the name of a secret',
    { data: { password: { secret: 'db\u0007' } } },
    'control and invisible characters are not allowed here',
  ],
  [
    'a name of a secret that is too long',
    { data: { password: { secret: 'x'.repeat(513) } } },
    'may not be more than 512',
  ],
  [
    'a control character in a property',
    entry({ property: 'a\nb' }),
    'control and invisible characters are not allowed here',
  ],
  ['an unknown decoding', entry({ decode: 'rot13' }), 'supported values: "base64"'],
  [
    'a manager reference without a name',
    entry({ managerRef: { kind: 'SecretManager' } }),
    'managerRef.name: Required value',
  ],
  [
    'a manager of an unknown kind',
    withData({ managerRef: { kind: 'SecretStore', name: 'x' } }),
    'supported values: "ClusterSecretManager", "SecretManager"',
  ],
  [
    'a manager with a name that no object has',
    withData({ managerRef: { name: 'Not A Name' } }),
    'lower-case letters, digits, - and ., for example api-db',
  ],
];

const sources: readonly Case[] = [
  [
    'no data',
    {},
    'say what the Secret holds: data: {password: {secret: db.password}} or dataFrom: [{extract: {secret: app/config}}]',
  ],
  ['empty data', { data: {}, dataFrom: [] }, 'say what the Secret holds: data: {password: {secret: db.password}}'],
  ['a template that says where nothing comes from', { template: { data: { url: 'x' } } }, 'say what the Secret holds'],
  [
    '101 keys',
    { data: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`key-${n}`, { secret: 'a' }])) },
    'must have at most 100 items',
  ],
  [
    '21 sources',
    { dataFrom: Array.from({ length: 21 }, () => ({ extract: { secret: 'a' } })) },
    'must have at most 20 items',
  ],
  [
    'a source that is nothing',
    { dataFrom: [{}] },
    'exactly one of extract, find and versions: {extract: {secret: app/config}}, {find: {prefix: app/}} or {versions: {secret: signing.key, last: 3}}',
  ],
  [
    'a source that is two',
    { dataFrom: [{ extract: { secret: 'a' }, find: { prefix: 'b' } }] },
    'exactly one of extract, find and versions',
  ],
  [
    'a find for everything',
    { dataFrom: [{ find: {} }] },
    'find needs a prefix or tags: find: {prefix: app/feature-} or find: {tags: {team: shop}}',
  ],
  ['a find for no tags', { dataFrom: [{ find: { tags: {} } }] }, 'find needs a prefix or tags'],
  ['a find for an empty prefix', { dataFrom: [{ find: { prefix: '' } }] }, 'should be at least 1 chars long'],
  ['no version', { dataFrom: [{ versions: { secret: 'a', last: 0 } }] }, 'should be greater than or equal to 1'],
  ['21 versions', { dataFrom: [{ versions: { secret: 'a', last: 21 } }] }, 'should be less than or equal to 20'],
  [
    'an unknown key style',
    { dataFrom: [{ extract: { secret: 'a' }, keys: { style: 'SHOUT' } }] },
    'supported values: "AsIs", "EnvVar"',
  ],
];

const keys: readonly Case[] = [
  [
    'a key with a space',
    key('pass word'),
    '"pass word" cannot be a key of a Secret: use letters, digits, -, _ and ., at most 253 characters, for example password: {secret: db.password}',
  ],
  ['a key that is too long', key('x'.repeat(254)), 'at most 253 characters'],
  ['the key .', key('.'), '"." cannot be a key: this name is reserved'],
  ['the key ..', key('..'), '".." cannot be a key: this name is reserved'],
  ['the key __proto__ (rule 17)', key('__proto__'), '"__proto__" cannot be a key: this name is reserved'],
  ['the key constructor (rule 17)', key('constructor'), '"constructor" cannot be a key: this name is reserved'],
  ['the key prototype (rule 17)', key('prototype'), '"prototype" cannot be a key: this name is reserved'],
  [
    'a key of the template with a slash',
    withData({ template: { data: { 'a/b': 'x' } } }),
    '"a/b" cannot be a key of a Secret',
  ],
  [
    'the template key constructor',
    withData({ template: { data: { constructor: 'x' } } }),
    '"constructor" cannot be a key',
  ],
  [
    'a template that shows nothing',
    withData({ template: { data: {} } }),
    'template.data would leave the Secret empty: leave it out, or give it keys: {url: "https://{{Secrets.host}}"}',
  ],
  [
    'a template over 64 KiB',
    withData({ template: { data: { big: 'x'.repeat(65_537) } } }),
    'may not be more than 65536',
  ],
];

const metadata: readonly Case[] = [
  ...[
    'kubernetes.io/x',
    'app.kubernetes.io/name',
    'k8s.io/x',
    'keyferry.io/adopt',
    'a.keyferry.io/x',
    'helm.sh/hook',
    'argocd.argoproj.io/sync',
  ].flatMap((name): readonly Case[] => [
    [
      `security rule 10: the label ${name}`,
      shows({ labels: { [name]: 'x' } }),
      `"${name}" is reserved: keys of kubernetes.io, k8s.io, keyferry.io, helm.sh, argocd.argoproj.io and their subdomains cannot be set. Use a domain of your own: example.com/team`,
    ],
    [`security rule 10: the annotation ${name}`, shows({ annotations: { [name]: 'x' } }), `"${name}" is reserved`],
  ]),
  [
    'security rule 10: a template in a label',
    shows({ labels: { team: '{{Secrets.x}}' } }),
    '"team" has a template in its value: labels and annotations are literal, only template.data is rendered',
  ],
  [
    'security rule 10: a template in an annotation',
    shows({ annotations: { note: 'a {{ Secrets.x }}' } }),
    '"note" has a template in its value',
  ],
  [
    'a label with a space in its value',
    shows({ labels: { team: 'a b' } }),
    '"team" has a value that no label can have: use letters, digits, -, _ and ., for example team: shop',
  ],
  [
    'a label that is no name',
    shows({ labels: { 'a b': 'x' } }),
    '"a b" is not a valid key: write it like team or example.com/team',
  ],
];

const targets: readonly Case[] = [
  ...['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1', 'Own'].map(
    (type): Case => [
      `security rule 10: the type ${type}`,
      withData({ target: { type } }),
      'supported values: "Opaque", "kubernetes.io/tls"',
    ],
  ),
  [
    'security rule 10: a Secret of Helm',
    withData({ target: { name: 'sh.helm.release.v1.shop.v1' } }),
    'Secret sh.helm.release.v1.shop.v1 would be read by Helm or by the cluster itself (sh.helm.release.*, bootstrap-token-*). Give another name: target: {name: api-db}',
  ],
  [
    'security rule 10: a bootstrap token',
    withData({ target: { name: 'bootstrap-token-abcdef' } }),
    'Secret bootstrap-token-abcdef would be read',
  ],
  [
    'an invalid name of a Secret',
    withData({ target: { name: 'API_DB' } }),
    'must be the name of a Kubernetes object: lower-case letters, digits, - and ., for example api-db',
  ],
  ['an unknown ownership', withData({ target: { ownership: 'Mine' } }), 'supported values: "Owner", "Orphan", "Merge"'],
  [
    'a refresh interval without a unit',
    withData({ refreshInterval: '10' }),
    'must be a duration such as 30s, 10m or 1h30m',
  ],
  [
    'a refresh interval with a fraction',
    withData({ refreshInterval: '1.5h' }),
    'must be a duration such as 30s, 10m or 1h30m',
  ],
  ['a refresh interval of days', withData({ refreshInterval: '1d' }), 'must be a duration such as 30s, 10m or 1h30m'],
  [
    'a refresh interval that is too short',
    withData({ refreshInterval: '500ms' }),
    'must be from 1s to 8760h, for example 10m',
  ],
  [
    'a refresh interval that is too long',
    withData({ refreshInterval: '8761h' }),
    'must be from 1s to 8760h, for example 10m',
  ],
  ['an unknown field', withData({ refresh: '1m' }), 'unknown field "spec.refresh"'],
  ['an unknown field deep down', entry({ key: 'x' }), 'unknown field "spec.data.password.key"'],
];

const rolls = (rollout: object): object => withData({ rollout });
const ten = Array.from({ length: 10 }, (_, n) => ({ name: `api-${n}` }));
const together =
  'policy Listed and workloads go together: rollout: {policy: Listed, workloads: [{kind: Deployment, name: api}]}';

const rollouts: readonly Case[] = [
  ['policy Listed without workloads', rolls({ policy: 'Listed' }), together],
  ['policy Listed with no workload', rolls({ policy: 'Listed', workloads: [] }), together],
  ['workloads without policy Listed', rolls({ workloads: [{ name: 'api' }] }), together],
  ['workloads with policy Never', rolls({ policy: 'Never', workloads: [{ name: 'api' }] }), together],
  ['11 workloads', rolls({ policy: 'Listed', workloads: [...ten, { name: 'x' }] }), 'must have at most 10 items'],
  [
    'a workload that is a plain string',
    rolls({ policy: 'Listed', workloads: ['api'] }),
    'spec.rollout.workloads[0] in body must be of type object: "string"',
  ],
  ['a workload without a name', rolls({ policy: 'Listed', workloads: [{ kind: 'CronJob' }] }), 'name: Required value'],
  [
    'a workload with a name that no object has',
    rolls({ policy: 'Listed', workloads: [{ name: 'deploy/api' }] }),
    'lower-case letters, digits, - and ., for example api-db',
  ],
  [
    'a workload of a kind that can not be rolled out',
    rolls({ policy: 'Listed', workloads: [{ kind: 'Job', name: 'api' }] }),
    'supported values: "Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob"',
  ],
  ['an unknown policy', rolls({ policy: 'Always' }), 'supported values: "Auto", "Listed", "Never"'],
  ['a settle time without a unit', rolls({ settle: '2' }), 'must be a duration such as 30s, 10m or 1h30m'],
  ['a settle time that is too short', rolls({ settle: '0s' }), 'must be from 1s to 5m, for example 2s'],
  ['a settle time that is too long', rolls({ settle: '6m' }), 'must be from 1s to 5m, for example 2s'],
  ['a deadline that is too long', rolls({ progressDeadline: '25h' }), 'must be from 1s to 24h, for example 10m'],
  ['a deadline of days', rolls({ progressDeadline: '1d' }), 'must be a duration such as 30s, 10m or 1h30m'],
  ['an unknown answer to a failure', rolls({ onFailure: 'Undo' }), 'supported values: "None", "Revert"'],
  [
    'a way back where nothing is rolled out',
    rolls({ policy: 'Never', onFailure: 'Revert' }),
    'nothing is rolled out, so nothing can be reverted: give policy Auto or Listed with onFailure: Revert',
  ],
  ['an unknown field of a rollout', rolls({ deadline: '10m' }), 'unknown field "spec.rollout.deadline"'],
  [
    'a namespace of a workload',
    rolls({ policy: 'Listed', workloads: [{ name: 'api', namespace: 'other' }] }),
    'unknown field "spec.rollout.workloads[0].namespace"',
  ],
];

describe('a SecretReference is refused, and told the right form, with', () => {
  test.each([...selectors, ...sources, ...keys, ...metadata, ...targets, ...rollouts])(
    '%s',
    async (_what, spec, says) => {
      const message = await create(reference(spec));

      expect(message).toContain(says);
    },
  );

  test('a spec that is missing', async () => {
    const { spec: _spec, ...without } = reference({});

    expect(await create(without)).toContain('spec: Required value');
  });

  test.each(['sh.helm.release.v1.shop.v1', 'bootstrap-token-abcdef'])(
    'security rule 10: the name %s, which its Secret would have',
    async (name) => {
      expect(await create(reference({ data: goodData }, name))).toContain(`Secret ${name} would be read by Helm`);
    },
  );
});

const wide = { ownership: 'Orphan', type: 'kubernetes.io/tls' };
const accepted: readonly (readonly [what: string, spec: unknown])[] = [
  ['one key', { data: goodData }],
  [
    'names with dots, slashes, upper case, an ARN',
    {
      data: {
        'A.b-c_d': { secret: 'App/DB.Password' },
        arn: { secret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf' },
      },
    },
  ],
  ['unicode in the name of a secret', { data: { key: { secret: 'schlüssel/秘密' } } }],
  ['an empty default', entry({ optional: true, default: '' })],
  ['sources alone', { dataFrom: [{ find: { tags: { team: 'shop' } } }, { versions: { secret: 'a', last: 20 } }] }],
  [
    'labels and annotations of its own',
    shows({
      labels: { 'example.com/team': 'shop', empty: '' },
      annotations: { note: 'a { b } c', 'notkubernetes.io/x': 'y' },
    }),
  ],
  ['a whole target', withData({ target: { name: 'api-db.shop', ...wide }, refreshInterval: '1h30m', suspend: true })],
  ['a rollout with one word', rolls({ policy: 'Never' })],
  [
    'a whole rollout of ten workloads',
    rolls({
      policy: 'Listed',
      workloads: [...ten.slice(1), { kind: 'CronJob', name: 'report.nightly' }],
      settle: '1m30s',
      onFailure: 'Revert',
      progressDeadline: '30m',
    }),
  ],
  [
    '100 keys with everything',
    {
      data: Object.fromEntries(
        Array.from({ length: 100 }, (_, n) => [
          `key-${n}`,
          { secret: 'x'.repeat(512), property: 'y'.repeat(512), stage: 'z'.repeat(256) },
        ]),
      ),
    },
  ],
];

describe('a SecretReference is accepted with', () => {
  test.each(accepted)('%s', async (_what, spec) => {
    expect(await create(reference(spec))).toBeUndefined();
  });
});
