import { describe, expect, inject, test } from 'vitest';
import { clusterManager, goodAccess, goodAuth, kubectlIn, manager, refusal } from './api-objects.ts';

const kubectl = kubectlIn(inject('cluster'), 'default');

function create(object: unknown): Promise<string | undefined> {
  return refusal(kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object));
}

type Case = readonly [what: string, spec: unknown, says: string];

const aws = (more: object): object => ({ aws: more, access: goodAccess });
const rule = (more: object): object => ({ aws: {}, access: [{ ...goodAccess[0], ...more }] });
const names = (...list: readonly string[]): object => rule({ namespaces: { names: list } });
const selector = (given: object): object => rule({ namespaces: { selector: given } });
const expression = (given: object): object => selector({ matchExpressions: [{ key: 'env', ...given }] });
const secrets = (...list: readonly string[]): object => rule({ secrets: list });

const wholeSegment =
  '{namespace} must be a whole segment between slashes, and nothing else may stand in braces: "{namespace}/*", not "{namespace}-*"';
const noDots = 'segments between slashes must not be empty, "." or "..": "shop/*", or "shop/**" for everything below';
const wide = '** must be a whole segment, or stand at the very end: "shop/**", "**/password" or "app-**"';

const access: readonly Case[] = [
  [
    'no access',
    { aws: {} },
    'access is required: say which namespaces may read which secrets: access: [{namespaces: {names: [shop]}, secrets: ["shop/*"]}]',
  ],
  [
    'empty access',
    { aws: {}, access: [] },
    'access must grant something: access: [{namespaces: {names: [shop]}, secrets: ["shop/*"]}]',
  ],
  ['a rule without namespaces', { aws: {}, access: [{ secrets: ['a'] }] }, 'spec.access[0].namespaces: Required value'],
  [
    'a rule without secrets',
    { aws: {}, access: [{ namespaces: { names: ['a'] } }] },
    'spec.access[0].secrets: Required value',
  ],
  [
    'security rule 9: a rule that says nothing of namespaces',
    rule({ namespaces: {} }),
    'say which namespaces: {names: [shop]}, {selector: {matchLabels: {env: prod}}}, or {names: ["*"]} for every namespace',
  ],
  [
    'security rule 9: an empty list of namespaces',
    names(),
    'an empty list grants nothing: names: [shop], or names: ["*"] for every namespace',
  ],
  [
    'security rule 9: an empty selector',
    selector({}),
    'an empty selector grants nothing: selector: {matchLabels: {env: prod}}, or names: ["*"] for every namespace',
  ],
  [
    'security rule 9: a selector with empty parts',
    selector({ matchLabels: {}, matchExpressions: [] }),
    'an empty selector grants nothing',
  ],
  ['security rule 9: an empty list of secrets', secrets(), 'an empty list grants nothing: secrets: ["shop/*"]'],
  [
    'an expression In without values',
    expression({ operator: 'In' }),
    '{key: env, operator: In, values: [prod]} or {key: env, operator: Exists}',
  ],
  [
    'an expression Exists with values',
    expression({ operator: 'Exists', values: ['a'] }),
    'Exists and DoesNotExist have none',
  ],
  [
    'an unknown operator',
    expression({ operator: 'Gt', values: ['1'] }),
    'supported values: "In", "NotIn", "Exists", "DoesNotExist"',
  ],
  [
    'a namespace in upper case',
    names('Shop'),
    'must be the name of a namespace, in which * stands for any characters: shop, team-* or "*" for every namespace',
  ],
  ['a namespace with a slash', names('shop/*'), 'must be the name of a namespace'],
  ['a namespace that is a regular expression', names('shop.*'), 'must be the name of a namespace'],
  ['security rule 9: {namespace} as a part of a segment', secrets('{namespace}-*'), wholeSegment],
  ['security rule 9: {namespace} twice in a segment', secrets('{namespace}{namespace}'), wholeSegment],
  ['security rule 9: other braces', secrets('{name}/*'), wholeSegment],
  ['security rule 9: a segment ..', secrets('shop/../*'), noDots],
  ['security rule 9: a segment .', secrets('./shop'), noDots],
  ['security rule 9: an empty segment', secrets('shop//*'), noDots],
  ['security rule 9: a slash at the end', secrets('shop/'), noDots],
  [
    'security rule 9: a control character',
    secrets('shop/\u0000*'),
    'control and invisible characters are not allowed here',
  ],
  ['** within a segment', secrets('shop/**x'), wide],
  ['** at the end of a segment that is not the last', secrets('app**/x'), wide],
  ['***', secrets('***'), wide],
];

const backend: readonly Case[] = [
  ['no backend', { access: goodAccess }, 'name exactly one backend: embedded: {} or aws: {region: eu-west-1}'],
  ['an unknown backend', { vault: {}, aws: {}, access: goodAccess }, 'unknown field "spec.vault"'],
  [
    'a plain string as a backend',
    { aws: 'eu-west-1', access: goodAccess },
    'spec.aws in body must be of type object: "string"',
  ],
  ['a region that is none', aws({ region: 'Frankfurt' }), 'must be an AWS region, for example eu-west-1'],
  [
    'a role that is no ARN',
    aws({ roleArn: 'keyferry' }),
    'must be the ARN of a role: arn:aws:iam::123456789012:role/keyferry',
  ],
  ['the ARN of a user', aws({ roleArn: 'arn:aws:iam::123456789012:user/keyferry' }), 'must be the ARN of a role'],
  [
    'an endpoint without a scheme',
    aws({ endpoint: 'localhost:4566' }),
    'must be a URL that begins with https:// or http://, without user, query or fragment, for example https://vpce-0a1b.secretsmanager.eu-west-1.vpce.amazonaws.com',
  ],
  [
    'an endpoint with another scheme',
    aws({ endpoint: 'file:///etc/passwd' }),
    'must be a URL that begins with https:// or http://',
  ],
  [
    'a proxy with a password in it',
    aws({ proxy: 'http://me:pass@proxy:3128' }),
    'without user, query or fragment, for example http://proxy.example.com:3128',
  ],
  [
    'a CA that is none',
    aws({ caBundle: 'hello' }),
    'must be PEM certificates, the first line of each -----BEGIN CERTIFICATE-----',
  ],
  [
    'a private key beside the CA',
    aws({ caBundle: '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----' }),
    'has a private key in it: only certificates belong here',
  ],
  [
    'two credentials',
    aws({ auth: { ...goodAuth, instanceMetadata: true } }),
    'give secretRef or instanceMetadata, not both: auth: {secretRef: {name: aws-keys}} or auth: {instanceMetadata: true}',
  ],
  ['a Secret without a name', aws({ auth: { secretRef: {} } }), 'secretRef.name: Required value'],
  [
    'a key that no Secret has',
    aws({ auth: { secretRef: { name: 'a', accessKeyIdKey: 'a/b' } } }),
    'must be a key of a Secret: letters, digits, -, _ and ., for example access-key-id',
  ],
  [
    'a poll interval that is none',
    { ...aws({}), pollInterval: 'often' },
    'must be a duration such as 30s, 10m or 1h30m',
  ],
  [
    'a poll interval that is too short',
    { ...aws({}), pollInterval: '0s' },
    'must be from 1s to 8760h, for example 10m',
  ],
  ['an unknown end of a withdrawn rule', { ...aws({}), onRevoked: 'Shrug' }, 'supported values: "Retain", "Delete"'],
  ['an unknown field', { ...aws({}), interval: '1m' }, 'unknown field "spec.interval"'],
];

describe('a ClusterSecretManager is refused, and told the right form, with', () => {
  test.each([...access, ...backend])('%s', async (_what, spec, says) => {
    expect(await create(clusterManager(spec))).toContain(says);
  });
});

const own = (more: object): object => ({ aws: { auth: goodAuth, ...more } });
const onCluster = 'may be set only on a ClusterSecretManager:';
const tenant: readonly Case[] = [
  [
    'security rule 8: an endpoint',
    own({ endpoint: 'https://evil.test' }),
    `endpoint ${onCluster} a tenant's field must not choose where the operator connects`,
  ],
  [
    'security rule 8: a proxy',
    own({ proxy: 'http://evil.test' }),
    `proxy ${onCluster} a tenant's field must not choose where the operator connects`,
  ],
  [
    'security rule 8: a CA',
    own({ caBundle: 'x' }),
    `caBundle ${onCluster} a tenant's field must not choose whom the operator trusts`,
  ],
  [
    'security rule 8: a role',
    own({ roleArn: 'arn:aws:iam::123456789012:role/x' }),
    `roleArn ${onCluster} it is assumed with the operator's identity. Give the manager its own keys: auth: {secretRef: {name: aws-keys}}`,
  ],
  [
    'security rule 8: the identity of the node',
    own({ auth: { ...goodAuth, instanceMetadata: true } }),
    `instanceMetadata ${onCluster} it would lend out the identity of the node`,
  ],
  [
    'security rule 8: access',
    { ...own({}), access: goodAccess },
    `access ${onCluster} a SecretManager serves its own namespace and no other`,
  ],
  [
    'security rule 8: no credentials',
    { aws: { region: 'eu-west-1' } },
    'a SecretManager brings its own credentials: aws: {region: eu-west-1, auth: {secretRef: {name: aws-keys}}}',
  ],
  ['security rule 8: empty credentials', { aws: { auth: {} } }, 'spec.aws.auth.secretRef: Required value'],
  ['no backend', {}, 'name exactly one backend: embedded: {} or aws: {region: eu-west-1}'],
  ['an unknown field', { ...own({}), onRevoked: 'Retain' }, 'unknown field "spec.onRevoked"'],
];

describe('a SecretManager is refused, and told the right form, with', () => {
  test.each(tenant)('%s', async (_what, spec, says) => {
    expect(await create(manager(spec))).toContain(says);
  });

  test('security rule 8: an endpoint, also by a client that does not ask for strict validation', async () => {
    const object = manager(own({ endpoint: 'https://evil.test' }));

    const message = await refusal(kubectl(['create', '--dry-run=server', '--validate=false', '-f', '-'], object));

    expect(message).toContain(`endpoint ${onCluster}`);
  });
});

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const everything = {
  region: 'us-gov-west-1',
  prefix: 'prod/',
  auth: goodAuth,
  roleArn: 'arn:aws-us-gov:iam::123456789012:role/path/keyferry+x=y',
  endpoint: 'http://127.0.0.1:5000',
  caBundle: certificate,
  proxy: 'http://proxy.example.com:3128',
};
const manyRules = Array.from({ length: 50 }, () => ({
  namespaces: { names: Array.from({ length: 100 }, () => 'x'.repeat(63)) },
  secrets: Array.from({ length: 50 }, () => `{namespace}/${'x'.repeat(500)}`),
}));

describe('a manager is accepted with', () => {
  test.each([
    ['nothing but access', clusterManager(aws({}))],
    [
      'everything',
      clusterManager({ ...aws(everything), contact: '#platform', pollInterval: '1s', onRevoked: 'Delete' }),
    ],
    ['patterns', clusterManager(names('*', 'team-*', 'shop'))],
    [
      'patterns of secrets',
      clusterManager(
        secrets(
          '*',
          '**',
          '{namespace}',
          '{namespace}/**',
          '**/password',
          'app-**',
          '/prod/*',
          'arn:aws:secretsmanager:*:*:secret:shop/*',
        ),
      ),
    ],
    [
      'a selector',
      clusterManager(
        selector({
          matchLabels: { env: 'prod' },
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['a'] }],
        }),
      ),
    ],
    ['as many rules as there may be', clusterManager({ aws: {}, access: manyRules })],
    ['credentials of its own', manager(own({ region: 'eu-west-1', prefix: 'shop/' }))],
  ])('%s', async (_what, object) => {
    expect(await create(object)).toBeUndefined();
  });
});
