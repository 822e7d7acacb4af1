import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { clusterManager, goodAccess, goodAuth, kubectlIn, manager, refusal } from './api-objects.ts';
import {
  secretReveal,
  secretType,
  secretVersion,
  someKey,
  someSealed,
  versionedSecret,
} from './policies-embedded-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `api-${run}`;
const kubectl = kubectlIn(cluster, namespace);

beforeAll(() => runKubectl(cluster, ['create', 'namespace', namespace]));
afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

function create(object: unknown): Promise<string | undefined> {
  return refusal(kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], object));
}

type Case = readonly [what: string, object: unknown, says: string];

const named = (name: unknown): unknown => versionedSecret('api', { name });
const form = 'may have letters, digits, space and . _ / - only, with no space at its ends, for example db.password';
const age = 'must be a number with d, h, m or s, for example 90d';

const secrets: readonly Case[] = [
  ['security rule 22: an umlaut in its name', named('schlüssel'), form],
  ['security rule 22: a letter that only looks alike', named('d\u0412.password'), form],
  ['security rule 22: a control character in its name', named('db\u0007'), form],
  ['security rule 22: a line break at the end of its name', named('db\n'), form],
  ['a colon in its name', named('db:password'), form],
  ['a space at the beginning of its name', named(' db'), form],
  ['a space at the end of its name', named('db '), form],
  ['an empty name', named(''), 'spec.name in body should be at least 1 chars long'],
  ['a name of 257 characters', named('x'.repeat(257)), 'may not be more than 256'],
  [
    'an object name of 241 characters',
    versionedSecret('x'.repeat(241)),
    'metadata.name may have at most 240 characters',
  ],
  [
    'a type that no object has as its name',
    versionedSecret('api', { type: 'Basic Auth' }),
    'lower-case letters, digits',
  ],
  ['two lines of description', versionedSecret('api', { description: 'a\nb' }), 'control and invisible characters'],
  [
    'security rule 18: a portable value that is never revealed',
    versionedSecret('api', { writeOnly: true, sealing: 'Portable' }),
    'a portable value can be opened wherever the key is, so writeOnly needs sealing: Bound',
  ],
  ['an unknown sealing', versionedSecret('api', { sealing: 'Loose' }), 'supported values: "Bound", "Portable"'],
  ['an age without a unit', versionedSecret('api', { rotateAfter: '90' }), age],
  ['an age of nothing', versionedSecret('api', { rotateAfter: '0d' }), age],
  ['an age of weeks', versionedSecret('api', { rotateAfter: '2w' }), age],
  ['a disabled version 0', versionedSecret('api', { disabledVersions: [0] }), 'should be greater than or equal to 1'],
  [
    '201 disabled versions',
    versionedSecret('api', { disabledVersions: Array.from({ length: 201 }, (_, index) => index + 1) }),
    'must have at most 200 items',
  ],
  ['an unknown field', versionedSecret('api', { value: 'x' }), 'unknown field "spec.value"'],
];

const version = (spec: object, name?: string): unknown =>
  secretVersion('db.password', { createdBy: 'admin', ...spec }, name === undefined ? {} : { name });
const mustBe = 'metadata.name must be db.password-N, where N is spec.version';
const giveOne = 'give a sealed value, or from: {version: 2}. Values are sealed by keyferry put or keyferry seal';
const noKey = 'must be the public half of one age key: age1 and 58 more characters';
const sealedTo = (key: string, data = 'AAAA'): object => ({ sealed: [{ key, data }] });

const versions: readonly Case[] = [
  ['a name of another version', version({}, 'db.password-2'), mustBe],
  ['a name of another secret', version({}, 'db.user-1'), mustBe],
  ['a name without a number', version({}, 'db.password'), mustBe],
  ['a name with more in it', version({}, 'db.password-a-1'), mustBe],
  ['a number with a zero in front', version({}, 'db.password-01'), mustBe],
  ['a number that is none', version({}, 'db.password-1x'), mustBe],
  ['version 0', version({ version: 0 }), 'should be greater than or equal to 1'],
  ['a version of ten digits', version({ version: 1_000_000_000 }), 'should be less than or equal to 999999999'],
  ['a secret in upper case', secretVersion('DB', {}, { name: 'db-1' }), 'must be the name of a Kubernetes object'],
  ['neither a value nor what it repeats', version({ sealed: undefined }), giveOne],
  ['no sealed value', version({ sealed: [] }), giveOne],
  [
    'a later version to repeat',
    version({ version: 3, from: { version: 4 } }),
    'from.version must be an earlier version',
  ],
  ['itself to repeat', version({ version: 3, from: { version: 3 } }), 'from.version must be an earlier version'],
  ['security rule 19: a key in a form of its own', version(sealedTo('ssh-ed25519 AAAA')), noKey],
  ['security rule 19: the secret half of a key', version(sealedTo(`AGE-SECRET-KEY-1${'Q'.repeat(46)}`)), noKey],
  ['two values for one key', version({ sealed: [...someSealed, ...someSealed] }), 'Duplicate value'],
  [
    'a value with a line break',
    version(sealedTo(someKey, 'AAAA\nAAAA')),
    'must be base64 of one line: use keyferry seal',
  ],
  ['a value that is armoured', version(sealedTo(someKey, '-----BEGIN AGE')), 'must be base64 of one line'],
  ['an empty value', version(sealedTo(someKey, '')), 'should be at least 1 chars long'],
  ['a value that is too long', version(sealedTo(someKey, 'A'.repeat(800_001))), 'may not be more than 800000'],
  [
    'values for nine clusters',
    version({
      sealed: ['q', 'w', 'e', 'r', 't', 'y', 'u', 'p', 's'].map((end) => ({
        key: `age1${'q'.repeat(57)}${end}`,
        data: 'AAAA',
      })),
    }),
    'must have at most 8 items',
  ],
  ['a plain value', version({ value: 'x' }), 'unknown field "spec.value"'],
];

const reveal = (more: object): unknown => secretReveal('db.password', 'admin', more);

const reveals: readonly Case[] = [
  ['no reason', reveal({ reason: undefined }), 'spec.reason: Required value'],
  ['an empty reason', reveal({ reason: '' }), 'should be at least 1 chars long'],
  ['a reason of two lines', reveal({ reason: 'a\nb' }), 'control and invisible characters are not allowed here'],
  ['nobody who asks', reveal({ requestedBy: undefined }), 'spec.requestedBy: Required value'],
  ['security rule 21: no recipient', reveal({ recipient: undefined }), 'spec.recipient: Required value'],
  ['security rule 21: two recipients', reveal({ recipient: `${someKey},${someKey}` }), 'may not be more than 62'],
  ['security rule 21: an SSH key', reveal({ recipient: 'ssh-ed25519 AAAA' }), noKey],
  ['security rule 21: a hybrid key', reveal({ recipient: `age1pq1${'q'.repeat(55)}` }), noKey],
  ['security rule 21: a plugin', reveal({ recipient: `age1yubikey1${'q'.repeat(50)}` }), noKey],
  ['version 0', reveal({ version: 0 }), 'should be greater than or equal to 1'],
  ['a secret in upper case', secretReveal('DB', 'admin'), 'must be the name of a Kubernetes object'],
];

const typed = (schema: object): unknown => secretType({ schema });
const types: readonly Case[] = [
  ['no schema', secretType({}), 'spec.schema: Required value'],
  ['security rule 15: no type', typed({}), 'spec.schema.type: Required value'],
  ['security rule 15: an array', typed({ type: 'array' }), 'supported values: "object", "string", "number", "boolean"'],
  ['security rule 15: a reference', typed({ type: 'object', $ref: '#' }), 'unknown field "spec.schema.$ref"'],
  ['security rule 15: a choice', typed({ type: 'object', oneOf: [] }), 'unknown field "spec.schema.oneOf"'],
  [
    'security rule 15: a pattern that is long',
    typed({ type: 'string', pattern: 'x'.repeat(257) }),
    'may not be more than 256',
  ],
  [
    'a Secret type that none may have',
    secretType({ schema: { type: 'string' }, secretType: 'x' }),
    'supported values: "Opaque"',
  ],
  ['two lines as its name', secretType({ displayName: 'a\nb', schema: { type: 'string' } }), 'control and invisible'],
];

const onCluster = 'may be set only on a ClusterSecretManager: a';
const managers: readonly Case[] = [
  [
    'security rule 8: a namespace of a SecretManager',
    manager({ embedded: { namespace: 'org' } }),
    `namespace ${onCluster} SecretManager serves the secrets of its own namespace`,
  ],
  [
    'security rule 8: limits of a SecretManager',
    manager({ embedded: { limits: {} } }),
    `limits ${onCluster} tenant must not`,
  ],
  [
    'access of a SecretManager',
    manager({ embedded: {}, access: goodAccess }),
    `access ${onCluster} SecretManager serves`,
  ],
  [
    'two backends',
    clusterManager({ embedded: {}, aws: {}, access: goodAccess }),
    'name exactly one backend: embedded: {}',
  ],
  ['two backends of a SecretManager', manager({ embedded: {}, aws: { auth: goodAuth } }), 'name exactly one backend'],
  [
    'a shared namespace without access',
    clusterManager({ embedded: { namespace: 'org' } }),
    'access is required: say which',
  ],
  [
    'a shared namespace with empty access',
    clusterManager({ embedded: { namespace: 'org' }, access: [] }),
    'access must grant something',
  ],
  [
    'a namespace that is none',
    clusterManager({ embedded: { namespace: 'Org' }, access: goodAccess }),
    'lower-case letters',
  ],
  [
    'no versions kept',
    clusterManager({ embedded: { limits: { versions: 0 } } }),
    'should be greater than or equal to 1',
  ],
  ['values of a megabyte', clusterManager({ embedded: { limits: { valueBytes: 1_048_576 } } }), 'or equal to 524288'],
];

describe('refused, and told the right form, is', () => {
  test.each(secrets)('a VersionedSecret with %s', async (_what, object, says) => {
    expect(await create(object)).toContain(says);
  });

  test.each(versions)('a SecretVersion with %s', async (_what, object, says) => {
    expect(await create(object)).toContain(says);
  });

  test.each(reveals)('a SecretReveal with %s', async (_what, object, says) => {
    expect(await create(object)).toContain(says);
  });

  test.each(types)('a SecretType with %s', async (_what, object, says) => {
    expect(await create(object)).toContain(says);
  });

  test.each(managers)('a manager with %s', async (_what, object, says) => {
    expect(await create(object)).toContain(says);
  });
});

describe('accepted is', () => {
  const long = 'x'.repeat(240);
  const deep = (levels: number): object =>
    levels === 0
      ? { type: 'string', title: 'x', pattern: '^x$', maxLength: 3 }
      : { type: 'object', required: ['a'], additionalProperties: false, properties: { a: deep(levels - 1) } };

  test.each<readonly [what: string, object: unknown]>([
    ['a secret that says nothing', versionedSecret('api')],
    ['a secret with a name of 256 characters', named(`My ${'Secret_'.repeat(36)}/`)],
    ['a secret with a long object name', versionedSecret(long)],
    ['a version with a long object name', secretVersion(long, { createdBy: 'admin', version: 999_999_999 })],
    ['a version of a secret that looks like a version', secretVersion('db-1', { createdBy: 'admin', version: 2 })],
    ['a version that repeats another', version({ version: 3, sealed: undefined, from: { version: 2 } })],
    ['a version that repeats another and was sealed since', version({ version: 3, from: { version: 2 } })],
    ['the longest value', version(sealedTo(someKey, 'A'.repeat(800_000)))],
    ['a reveal of a version', reveal({ version: 3 })],
    ['a type three objects deep', typed(deep(3))],
    ['the manager of each namespace', clusterManager({ embedded: {} })],
    ['one with limits', clusterManager({ embedded: { limits: { secrets: 10_000 } } })],
    ['one of a shared namespace', clusterManager({ embedded: { namespace: 'org' }, access: goodAccess })],
    ['one of its own namespace', manager({ embedded: {} })],
  ])('%s', async (_what, object) => {
    expect(await create(object)).toBeUndefined();
  });
});

describe('what can not be changed', () => {
  const type = `api-${run}`;
  const objects = [
    versionedSecret('plain'),
    versionedSecret('secretive', { name: 'Secretive', writeOnly: true }),
    versionedSecret('portable', { sealing: 'Portable' }),
    secretVersion('plain', { createdBy: 'admin', createdByGroups: ['system:masters'], version: 5 }),
    secretVersion('plain', { createdBy: 'admin', version: 6, sealed: undefined, from: { version: 5 } }),
    secretReveal('plain', 'admin'),
    secretType({ schema: { type: 'string' } }, type),
  ];

  beforeAll(async () => {
    for (const object of objects) await kubectl(['create', '-f', '-'], object);
  });
  afterAll(() => runKubectl(cluster, ['delete', 'secrettype', type]));

  const change = (kind: string, name: string, spec: object): Promise<string | undefined> => {
    const patch = JSON.stringify({ spec });
    return refusal(kubectl(['patch', kind, name, '--type=merge', '--dry-run=server', `--patch=${patch}`]));
  };

  const writeOnly =
    'writeOnly cannot be taken back: create another secret under another name and put a new value there';
  const sealing = 'sealing cannot change: create another secret under another name';
  const name = 'spec.name cannot change: create another secret, put its value there, and point the references at it';
  const fixed = 'a version cannot change: put a new one';

  test.each<readonly [what: string, kind: string, object: string, spec: object, says: string]>([
    ['that a secret is never revealed', 'vsec', 'secretive', { writeOnly: false }, writeOnly],
    ['the same, by leaving it out', 'vsec', 'secretive', { writeOnly: null }, writeOnly],
    ['where values can be opened', 'vsec', 'plain', { sealing: 'Portable' }, sealing],
    ['the same, by leaving it out', 'vsec', 'portable', { sealing: null }, sealing],
    ['the name of a secret', 'vsec', 'secretive', { name: 'other' }, name],
    ['the same, by leaving it out', 'vsec', 'secretive', { name: null }, name],
    ['a name that was the name of the object', 'vsec', 'plain', { name: 'other' }, name],
    [
      'that a portable secret may be revealed',
      'vsec',
      'portable',
      { writeOnly: true },
      'writeOnly needs sealing: Bound',
    ],
    ['the number of a version', 'sver', 'plain-5', { version: 6 }, fixed],
    ['the secret of a version', 'sver', 'plain-5', { secret: 'other' }, fixed],
    ['who put a version', 'sver', 'plain-5', { createdBy: 'eve' }, fixed],
    ['the same, by leaving it out', 'sver', 'plain-5', { createdBy: null }, fixed],
    ['the groups of who put it', 'sver', 'plain-5', { createdByGroups: ['x'] }, fixed],
    ['the same, by leaving them out', 'sver', 'plain-5', { createdByGroups: null }, fixed],
    ['that it brought a value', 'sver', 'plain-5', { from: { version: 1 } }, fixed],
    ['what it repeats', 'sver', 'plain-6', { from: { version: 1 } }, fixed],
    [
      'security rule 21: the recipient of a reveal',
      'srev',
      'look',
      { recipient: `age1${'p'.repeat(58)}` },
      'ask again by keyferry',
    ],
    [
      'security rule 3: who asks for a reveal',
      'srev',
      'look',
      { requestedBy: 'eve' },
      'a reveal cannot change: ask again',
    ],
    [
      'security rule 15: a type',
      'stype',
      type,
      { schema: { type: 'number' } },
      'a SecretType cannot change: create another one',
    ],
    ['security rule 15: the description of a type', 'stype', type, { description: 'x' }, 'a SecretType cannot change'],
  ])('is %s (%s %s %j)', async (_what, kind, object, spec, says) => {
    expect(await change(kind, object, spec)).toContain(says);
  });

  test('leaves the rest of a secret free', async () => {
    const spec = { description: 'x', type: 'database', writeOnly: true, rotateAfter: '90d', disabledVersions: [] };

    expect(await change('vsec', 'plain', spec)).toBeUndefined();
    expect(await change('vsec', 'plain', { name: 'plain', deletionProtection: false })).toBeUndefined();
  });
});
