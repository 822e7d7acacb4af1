import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';
import { type Kubectl, kubectlIn, refusal } from './api-objects.ts';
import {
  dryRun,
  secretVersion,
  someKey,
  tryDelete,
  tryPatch,
  userWith,
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
const account = `system:serviceaccount:${namespace}:ci`;
/** May put db.password. */
let asAlice: Kubectl;
/** May put another secret. */
let asEve: Kubectl;
/** May destroy db.password. */
let asDan: Kubectl;
/** A service account that may put db.password. */
let asAccount: Kubectl;

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  asAlice = await userWith(cluster, namespace, alice, { put: [secret] });
  asEve = await userWith(cluster, namespace, `eve-${run}`, { put: ['other'], destroy: ['other'] });
  asDan = await userWith(cluster, namespace, `dan-${run}`, { destroy: [secret] });
  asAccount = await userWith(cluster, namespace, account, { put: [secret] });
  await refusedWith(() => asEve(dryRun, by(`eve-${run}`)), 'may not put');
  for (const [kubectl, user] of [[asAlice, alice] as const, [asAccount, account] as const]) {
    await accepted(() => kubectl(dryRun, by(user)));
  }
  const stored: readonly (readonly [version: number, metadata: object])[] = [
    [11, {}],
    [12, { labels: { 'keyferry.io/trim': 'true' } }],
    [13, { annotations: { 'keyferry.io/allow-delete': 'yes' } }],
  ];
  for (const [version, metadata] of stored) {
    await admin(['create', '-f', '-'], secretVersion(secret, { version, createdBy: 'admin' }, metadata));
    if (version !== 11) await writeStatus(asOperator, 'SecretVersion', `${secret}-${version}`, { users: 2 });
  }
  await accepted(() => tryDelete(asDan, 'sver', `${secret}-11`));
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

/** A version by somebody. */
function by(createdBy: string | undefined, more: object = {}): object {
  return secretVersion(secret, { ...(createdBy !== undefined && { createdBy }), ...more });
}

describe('security rule 5: putting a version', () => {
  test('is open to who holds put on the secret', async () => {
    expect(await refusal(asAlice(dryRun, by(alice)))).toBeUndefined();
  });

  test('is refused to who does not, and says who may not put what and what to ask for', async () => {
    expect(await refusal(asEve(dryRun, by(`eve-${run}`)))).toContain(
      `eve-${run} may not put secret db.password in namespace ${namespace}. Ask for: keyferry grant put db.password --to eve-${run} -n ${namespace}`,
    );
  });

  test('is refused to who may only destroy', async () => {
    expect(await refusal(asDan(dryRun, by(`dan-${run}`)))).toContain(`dan-${run} may not put secret db.password`);
  });

  test('needs put also where an earlier version is repeated', async () => {
    const rollback = { version: 20, sealed: [], from: { version: 11 } };

    expect(await refusal(asEve(dryRun, by(`eve-${run}`, rollback)))).toContain('may not put secret db.password');
    expect(await refusal(asAlice(dryRun, by(alice, rollback)))).toBeUndefined();
  });

  test('is asked about the name in the spec, which that of the object can not hide', async () => {
    const hidden = secretVersion(secret, { createdBy: `eve-${run}` }, { name: 'other-1' });

    expect(await refusal(asEve(dryRun, hidden))).toMatch(/may not put secret db\.password|metadata\.name must be/);
  });
});

describe('security rule 7: the name of the writer', () => {
  test.each([
    ['another', 'carol'],
    ['a group', 'system:masters'],
    ['the operator', operator],
  ])('can not be that of %s', async (_what, name) => {
    const message = await refusal(asAlice(dryRun, by(name)));

    expect(message).toContain(`spec.createdBy must be who writes it: ${alice}`);
  });

  test('can not be that of another for an administrator either', async () => {
    expect(await refusal(admin(dryRun, by(alice)))).toContain('spec.createdBy must be who writes it: admin');
  });

  test('must be there for people', async () => {
    expect(await refusal(asAlice(dryRun, by(undefined)))).toContain(`spec.createdBy must be who writes it: ${alice}`);
  });

  test('may be left out by a service account, which still needs put', async () => {
    expect(await refusal(asAccount(dryRun, by(undefined)))).toBeUndefined();
    expect(await refusal(asAccount(dryRun, secretVersion('other')))).toContain(`${account} may not put secret other`);
  });

  test('goes with groups of the writer only', async () => {
    const groups = (...names: readonly string[]): object => by(alice, { createdByGroups: names });
    const asGroup = (object: object): Promise<string | undefined> =>
      refusal(asAlice([...dryRun, '--as-group', 'shop'], object));

    expect(await asGroup(groups('shop', 'system:authenticated'))).toBeUndefined();
    expect(await asGroup(groups('shop', 'system:masters'))).toContain(
      `spec.createdByGroups may name only groups of ${alice}, as kubectl auth whoami shows them`,
    );
  });
});

describe('security rule 4: the probe of the operator', () => {
  const nobody = by('keyferry:probe');

  test('is refused by the policy, in the namespace of the operator', async () => {
    const message = await refusal(kubectlIn(cluster, 'keyferry', operator)(dryRun, nobody));

    expect(message).toContain("ValidatingAdmissionPolicy 'keyferry-secret-versions'");
  });

  test('is all that the operator may create', async () => {
    expect(await refusal(asOperator(dryRun, nobody))).toContain('cannot create resource "secretversions"');
  });
});

describe('security rule 3: changing a version', () => {
  const sealedAgain = { spec: { sealed: [{ key: someKey, data: 'BBBB' }] } };
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'mine', uid: 'a-b-c' };
  const owned = { metadata: { ownerReferences: [owner] } };
  const patch = (kubectl: Kubectl, body: object, version = 11): Promise<string | undefined> =>
    refusal(tryPatch(kubectl, 'sver', `${secret}-${version}`, body));

  test('is refused to everybody for what is sealed, an administrator included', async () => {
    expect(await patch(admin, sealedAgain)).toContain('version 11 of db.password cannot change: put a new one');
    expect(await patch(asAlice, { spec: { sealed: [], from: { version: 3 } } })).toContain('cannot change');
  });

  test('is open to the operator for what is sealed, and for nothing else of the spec', async () => {
    expect(await patch(asOperator, sealedAgain)).toBeUndefined();
    expect(await patch(asOperator, { spec: { createdBy: 'carol' } })).toContain('a version cannot change');
  });

  test('is free for labels and annotations', async () => {
    const metadata = { labels: { team: 'shop' }, annotations: { note: 'x' } };

    expect(await patch(asEve, { metadata })).toBeUndefined();
  });

  test('needs destroy for a finalizer, but not for one that deletion by an owner brings, nor to take one away', async () => {
    const held = (...finalizers: readonly string[]): object => ({ metadata: { finalizers } });

    expect(await patch(asAlice, held('example.com/hold'))).toContain(`${alice} may not destroy secret db.password`);
    expect(await patch(asDan, held('example.com/hold'))).toBeUndefined();
    expect(await patch(asAlice, held('foregroundDeletion'))).toBeUndefined();
    await admin(
      ['create', '-f', '-'],
      secretVersion(secret, { version: 15, createdBy: 'admin' }, { finalizers: ['example.com/hold'] }),
    );
    expect(await patch(asEve, held(), 15)).toBeUndefined();
    await admin(['patch', 'sver', `${secret}-15`, '--type=merge', '--patch={"metadata":{"finalizers":null}}']);
  });

  test('needs put for the label that says who trims it', async () => {
    const says = 'the label keyferry.io/trim says who owns a version, and ';
    const trim = (value: string | null): object => ({ metadata: { labels: { 'keyferry.io/trim': value } } });

    expect(await patch(asEve, trim('true'))).toContain(`${says}eve-${run} may not put secret db.password`);
    expect(await patch(asEve, trim(null), 12)).toContain(says);
    expect(await patch(asAlice, trim('true'))).toBeUndefined();
    expect(await patch(asAlice, trim(null), 12)).toBeUndefined();
    expect(await patch(asOperator, trim(null), 12)).toBeUndefined();
  });

  test('needs destroy for an owner, with which the garbage collector would delete it', async () => {
    const says = `what has an owner is deleted with it, and ${alice} may not destroy secret db.password`;

    expect(await patch(asAlice, owned)).toContain(says);
    expect(await refusal(asAlice(dryRun, secretVersion(secret, { createdBy: alice }, owned.metadata)))).toContain(says);
    expect(await patch(asDan, owned)).toBeUndefined();
    expect(await patch(asOperator, owned)).toBeUndefined();
  });

  test('is free where an owner goes, or where the collector lets go of one', async () => {
    await admin(['create', 'configmap', 'mine']);
    const uid = await admin(['get', 'configmap', 'mine', '-o', 'jsonpath={.metadata.uid}']);
    const ownerReferences = [{ ...owner, uid, blockOwnerDeletion: true }];
    await admin(['create', '-f', '-'], secretVersion(secret, { version: 14, createdBy: 'admin' }, { ownerReferences }));
    const becomes = (more: object): object => ({ metadata: { ownerReferences: [{ ...ownerReferences[0], ...more }] } });

    expect(await patch(asEve, { metadata: { ownerReferences: null } }, 14)).toBeUndefined();
    expect(await patch(collector, becomes({ blockOwnerDeletion: false }), 14)).toBeUndefined();
    expect(await patch(asEve, becomes({ name: 'gone' }), 14)).toContain('what has an owner is deleted with it');
  });
});

describe('security rule 5: destroying a version', () => {
  const remove = (kubectl: Kubectl, version: number): Promise<string | undefined> =>
    refusal(tryDelete(kubectl, 'sver', `${secret}-${version}`));

  test('needs destroy, and says who may not destroy what', async () => {
    expect(await remove(asAlice, 11)).toContain(
      `${alice} may not destroy secret db.password in namespace ${namespace}. Ask for: keyferry grant destroy db.password --to ${alice} -n ${namespace}`,
    );
    expect(await remove(asEve, 11)).toContain('may not destroy secret db.password');
    expect(await remove(asDan, 11)).toBeUndefined();
  });

  test('needs it also where all of them are deleted at once', async () => {
    const path = `/apis/keyferry.io/v1/namespaces/${namespace}/secretversions?dryRun=All`;

    expect(await refusal(asAlice(['delete', '--raw', path]))).toContain('may not destroy secret db.password');
  });

  test('is refused while references hold it, to an administrator too', async () => {
    const says = `version 12 of db.password is used by 2 references: keyferry show db.password -n ${namespace} names them. Let them move to another version first. If it must go at once: keyferry delete db.password --version 12 --force -n ${namespace}`;

    expect(await remove(asDan, 12)).toContain(says);
    expect(await remove(admin, 12)).toContain(says);
  });

  test('passes where it is announced, and still needs destroy', async () => {
    expect(await remove(asDan, 13)).toBeUndefined();
    expect(await remove(asAlice, 13)).toContain('may not destroy');
  });

  test.each([
    ['the operator', asOperator],
    [
      'the namespace controller',
      kubectlIn(cluster, namespace, 'system:serviceaccount:kube-system:namespace-controller'),
    ],
  ])('is open to %s, which judges by itself', async (_who, kubectl) => {
    expect(await remove(kubectl, 12)).toBeUndefined();
  });

  test('is for the garbage collector without the right to, and refused while references hold it', async () => {
    expect(await remove(collector, 11)).toBeUndefined();
    expect(await remove(collector, 12)).toContain('version 12 of db.password is used by 2 references');
  });

  test('does not hang a namespace that goes away', async () => {
    const doomed = `${namespace}-doomed`;
    await runKubectl(cluster, ['create', 'namespace', doomed]);
    const inDoomed = kubectlIn(cluster, doomed);
    await inDoomed(['create', '-f', '-'], by('admin'));
    await writeStatus(kubectlIn(cluster, doomed, operator), 'SecretVersion', `${secret}-1`, { users: 1 });
    expect(await refusal(inDoomed(['delete', 'sver', `${secret}-1`]))).toContain('is used by 1 reference:');

    await runKubectl(cluster, ['delete', 'namespace', doomed, '--timeout=90s']);

    expect(await runKubectl(cluster, ['get', 'namespace', doomed, '--ignore-not-found'])).toBe('');
  });
});
