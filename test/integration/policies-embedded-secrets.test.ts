import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { type Kubectl, kubectlIn, refusal } from './api-objects.ts';
import {
  dryRun,
  secretVersion,
  tryDelete,
  tryPatch,
  userWith,
  versionedSecret,
  writeStatus,
} from './policies-embedded-support.ts';
import { accepted, applyRoles, operator, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const secret = 'db.password';
const admin = kubectlIn(cluster, namespace);
const asOperator = kubectlIn(cluster, namespace, operator);
const collector = kubectlIn(cluster, namespace, 'system:serviceaccount:kube-system:generic-garbage-collector');

const alice = `alice-${run}`;
/** May put db.password. */
let asAlice: Kubectl;
/** May put it and access it. */
let asBob: Kubectl;
/** May destroy it, and no more. */
let asDan: Kubectl;
/** May do all that with another secret, and nothing with this one. */
let asEve: Kubectl;

const user = (reference: string, ...consumers: readonly string[]): object => ({
  reference,
  versions: [3],
  pinned: false,
  consumers,
});

/** Stores a secret and what the operator would say of it. */
async function store(name: string, spec: object, status: object): Promise<void> {
  await admin(['create', '-f', '-'], versionedSecret(name, spec));
  await writeStatus(asOperator, 'VersionedSecret', name, status);
}

const other = ['other'];

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  asAlice = await userWith(cluster, namespace, alice, { put: [secret, 'raced', 'open'] });
  asBob = await userWith(cluster, namespace, `bob-${run}`, { put: [secret], access: [secret] });
  asDan = await userWith(cluster, namespace, `dan-${run}`, { destroy: [secret, 'used', 'free', 'many'] });
  asEve = await userWith(cluster, namespace, `eve-${run}`, { put: other, access: other, destroy: other });
  await refusedWith(() => asEve(dryRun, versionedSecret(secret)), 'may not put');
  await accepted(() => asAlice(dryRun, versionedSecret(secret)));
  await eventually('the operator may write a status', () =>
    store(secret, {}, { latest: 3 }).catch(async (error: unknown) => {
      await admin(['delete', 'vsec', secret, '--ignore-not-found']);
      throw error;
    }),
  );
  await accepted(() => tryDelete(asDan, 'vsec', secret));
  await store('open', { deletionProtection: false }, {});
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

const patch = (kubectl: Kubectl, body: object, name = secret): Promise<string | undefined> =>
  refusal(tryPatch(kubectl, 'vsec', name, body));
const mayNot = (verb: string, name: string): string => `${name}-${run} may not ${verb} secret db.password in namespace`;

describe('security rule 5: making a secret', () => {
  test('is open to who holds put on its name', async () => {
    await accepted(() => asEve(dryRun, versionedSecret('other')));

    expect(await refusal(asEve(dryRun, versionedSecret('other')))).toBeUndefined();
  });

  test('is refused to who does not, and says what to ask for', async () => {
    expect(await refusal(asEve(dryRun, versionedSecret(secret, {}, { name: 'third' })))).toContain(
      `eve-${run} may not put secret third in namespace ${namespace}. Ask for: keyferry grant put third --to eve-${run} -n ${namespace}`,
    );
  });

  test('is asked about the name of the object, not that in the spec', async () => {
    expect(await refusal(asEve(dryRun, versionedSecret('third', { name: 'other' })))).toContain(
      'may not put secret third',
    );
  });

  test('is asked about a name that the API server makes up', async () => {
    const { metadata: _metadata, ...rest } = versionedSecret('x');

    expect(await refusal(asEve(dryRun, { ...rest, metadata: { generateName: 'other' } }))).toMatch(
      /may not put secret other\w+ in namespace/,
    );
  });
});

describe('security rule 5: changing a secret', () => {
  test.each([
    ['the description', { description: 'x' }],
    ['the age that it may have', { rotateAfter: '90d' }],
    ['versions that are disabled', { disabledVersions: [1] }],
    ['that it is never revealed', { writeOnly: true }],
  ])('needs put for %s', async (_what, spec) => {
    expect(await patch(asEve, { spec })).toContain(mayNot('put', 'eve'));
    expect(await patch(asAlice, { spec })).toBeUndefined();
  });

  test.each([
    ['its type', { spec: { type: 'database' } }],
    ['its labels', { metadata: { labels: { team: 'shop' } } }],
  ])('needs put and access for %s, which say what it is and who finds it', async (_what, body) => {
    expect(await patch(asEve, body)).toContain(mayNot('put', 'eve'));
    expect(await patch(asAlice, body)).toContain(
      `its type and labels say what it is and who finds it, and ${mayNot('access', 'alice')}`,
    );
    expect(await patch(asBob, body)).toBeUndefined();
  });

  test('is free for annotations and finalizers', async () => {
    const metadata = { annotations: { note: 'x' }, finalizers: ['example.com/hold'] };

    expect(await patch(asEve, { metadata })).toBeUndefined();
  });

  test('needs destroy, and that alone, to turn the protection off', async () => {
    const off = { deletionProtection: false };

    expect(await patch(asAlice, { spec: off })).toContain(
      `deletionProtection may be turned off by those only who may delete, and ${mayNot('destroy', 'alice')}`,
    );
    expect(await patch(asDan, { spec: off })).toBeUndefined();
  });

  test.each([
    ['another', { writeOnly: true }],
    ['a new one', { description: 'x' }],
    ['one that goes', { disabledVersions: null }],
  ])('needs put where %s field changes besides', async (_what, more) => {
    await admin(['patch', 'vsec', secret, '--type=merge', '--patch={"spec":{"disabledVersions":[1]}}']);

    expect(await patch(asDan, { spec: { deletionProtection: false, ...more } })).toContain(mayNot('put', 'dan'));
  });

  test('needs put to turn the protection on', async () => {
    expect(await patch(asDan, { spec: { deletionProtection: true } }, 'open')).toContain('may not put secret open');
    expect(await patch(asAlice, { spec: { deletionProtection: true } }, 'open')).toBeUndefined();
  });

  test('needs destroy for an owner, with which the garbage collector would delete it', async () => {
    const metadata = { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'mine', uid: 'a-b-c' }] };

    expect(await patch(asAlice, { metadata })).toContain(
      `what has an owner is deleted with it, and ${mayNot('destroy', 'alice')}`,
    );
    expect(await patch(asDan, { metadata })).toBeUndefined();
    expect(await refusal(asAlice(dryRun, versionedSecret('raced', {}, metadata)))).toContain(
      'may not destroy secret raced',
    );
  });
});

describe('disabling a version', () => {
  beforeAll(() => store('raced', { disabledVersions: [2, 3] }, { latest: 3 }));

  test('is refused for the latest, to an administrator too', async () => {
    const body = { spec: { disabledVersions: [1, 3] } };
    const says =
      'version 3 is the latest of secret db.password, and the latest cannot be disabled: put or roll back first';

    expect(await patch(asAlice, body)).toContain(says);
    expect(await patch(admin, body)).toContain(says);
  });

  test('is open for those before it', async () => {
    expect(await patch(asAlice, { spec: { disabledVersions: [1, 2] } })).toBeUndefined();
  });

  test('is not prepared before it is there', async () => {
    expect(await patch(asAlice, { spec: { disabledVersions: [1, 4] } })).toContain(
      'version 4 of secret db.password is not there yet, and would be disabled as the latest',
    );
  });

  test('that became the latest meanwhile holds up no other change', async () => {
    expect(await patch(asAlice, { spec: { description: 'x' } }, 'raced')).toBeUndefined();
    expect(await patch(asAlice, { spec: { disabledVersions: [2] } }, 'raced')).toBeUndefined();
  });
});

describe('security rule 6: deleting a secret', () => {
  const remove = (kubectl: Kubectl, name: string): Promise<string | undefined> =>
    refusal(tryDelete(kubectl, 'vsec', name));
  const usedBy = [user('api-db', 'Deployment/api@3', 'CronJob/report@2'), user('cart')];

  beforeAll(async () => {
    await store('used', { name: 'In Use' }, { usedBy, users: 2 });
    await store('free', { deletionProtection: false }, { usedBy, users: 2 });
    const many = Array.from({ length: 12 }, (_, index) =>
      user(`r-${String(index).padStart(2, '0')}`, 'a', 'b', 'c', 'd'),
    );
    await store('many', {}, { usedBy: many, users: 15 });
    await store('elsewhere', {}, { users: 3 });
    const long = Array.from({ length: 100 }, (_, index) =>
      user(`${index}-${'x'.repeat(240)}`, 'y'.repeat(300), 'z'.repeat(300)),
    );
    await store('long', {}, { usedBy: long, users: 100 });
  });

  test('needs destroy', async () => {
    expect(await remove(asAlice, secret)).toContain(
      `${alice} may not destroy secret db.password in namespace ${namespace}. Ask for: keyferry grant destroy db.password --to ${alice} -n ${namespace}`,
    );
    expect(await remove(asDan, secret)).toBeUndefined();
  });

  test('needs it also where all of them are deleted at once', async () => {
    const path = `/apis/keyferry.io/v1/namespaces/${namespace}/versionedsecrets?dryRun=All`;

    expect(await refusal(asAlice(['delete', '--raw', path]))).toContain('may not destroy secret');
  });

  test.each([
    ['who holds destroy', () => asDan],
    ['an administrator', () => admin],
    ['the garbage collector, which tries again', () => collector],
  ])('is refused to %s while it is used, with those who use it', async (_who, kubectl) => {
    expect(await remove(kubectl(), 'used')).toContain(
      `secret In Use is used by 2 references: api-db (Deployment/api@3, CronJob/report@2), cart. Remove them first, or: keyferry delete "In Use" --force -n ${namespace}`,
    );
  });

  test('names ten references and three workloads of each, and counts the rest', async () => {
    const message = await remove(asDan, 'many');

    expect(message).toContain('secret many is used by 15 references: r-00 (a, b, c, ...), r-01 (a, b, c, ...), ');
    expect(message).toContain('r-09 (a, b, c, ...), and others. Remove');
    expect(message).not.toContain('r-10');
  });

  test('counts the references of other namespaces, and names none', async () => {
    expect(await remove(admin, 'elsewhere')).toContain(
      'secret elsewhere is used by 3 references of other namespaces. Remove',
    );
  });

  test('says so in full however long the names are', async () => {
    expect(await remove(admin, 'long')).toMatch(
      /secret long is used by 100 references: 0-x+ .*\.\.\., and others\. Remove them first/,
    );
  });

  test('passes where its protection is off, for who holds destroy', async () => {
    expect(await remove(asDan, 'free')).toBeUndefined();
    expect(await remove(asAlice, 'free')).toContain('may not destroy');
    expect(await remove(collector, 'free')).toBeUndefined();
  });

  test('takes the versions that it owns with it', async () => {
    await store('gone', {}, { users: 0 });
    const uid = await admin(['get', 'vsec', 'gone', '-o', 'jsonpath={.metadata.uid}']);
    const ownerReferences = [{ apiVersion: 'keyferry.io/v1', kind: 'VersionedSecret', name: 'gone', uid }];
    await admin(['create', '-f', '-'], secretVersion('gone', { createdBy: 'admin' }, { ownerReferences }));
    await writeStatus(asOperator, 'SecretVersion', 'gone-1', { users: 1 });

    await admin(['delete', 'vsec', 'gone']);

    await eventually('the version is gone', async () => {
      expect(await admin(['get', 'sver', 'gone-1', '-o', 'name', '--ignore-not-found'])).toBe('');
    });
  });

  test('does not hang a namespace that goes away', async () => {
    const doomed = `${namespace}-doomed`;
    await runKubectl(cluster, ['create', 'namespace', doomed]);
    const inDoomed = kubectlIn(cluster, doomed);
    await inDoomed(['create', '-f', '-'], versionedSecret(secret));
    await writeStatus(kubectlIn(cluster, doomed, operator), 'VersionedSecret', secret, { usedBy, users: 2 });
    expect(await refusal(inDoomed(['delete', 'vsec', secret]))).toContain('is used by 2 references');

    await runKubectl(cluster, ['delete', 'namespace', doomed, '--timeout=90s']);

    expect(await runKubectl(cluster, ['get', 'namespace', doomed, '--ignore-not-found'])).toBe('');
  });
});
