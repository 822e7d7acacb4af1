import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { runKubectl } from '../cluster/kubectl.ts';
import { eventually } from '../operator/eventually.ts';
import { type Kubectl, kubectlIn, refusal } from './api-objects.ts';
import {
  dryRun,
  secretReveal,
  secretVersion,
  tryPatch,
  userWith,
  versionedSecret,
  writeStatus,
} from './policies-embedded-support.ts';
import { accepted, applyRoles, operator, refusedIn, refusedWith } from './policies-support.ts';

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const secret = 'db.password';
const admin = kubectlIn(cluster, namespace);
const asOperator = kubectlIn(cluster, namespace, operator);

const rita = `rita-${run}`;
const eve = `eve-${run}`;
const account = `system:serviceaccount:${namespace}:ci`;
/** May access db.password. */
let asRita: Kubectl;
/** May put it and destroy it. */
let asEve: Kubectl;
/** A service account that may access every secret. */
let asAccount: Kubectl;

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  asRita = await userWith(cluster, namespace, rita, { access: [secret] });
  asEve = await userWith(cluster, namespace, eve, { put: [], destroy: [] });
  asAccount = await userWith(cluster, namespace, account, { access: [] });
  await refusedWith(() => asEve(dryRun, secretReveal(secret, eve)), 'may not access');
  await accepted(() => asRita(dryRun, secretReveal(secret, rita)));
  await accepted(() => asAccount(dryRun, secretReveal(secret, account)));
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

describe('security rule 4: asking for a reveal', () => {
  test('is open to who holds access on the secret', async () => {
    expect(await refusal(asRita(dryRun, secretReveal(secret, rita)))).toBeUndefined();
  });

  test('is refused to who may put and destroy, and says what to ask for', async () => {
    expect(await refusal(asEve(dryRun, secretReveal(secret, eve)))).toContain(
      `${eve} may not access secret db.password in namespace ${namespace}. Ask for: keyferry grant access db.password --to ${eve} -n ${namespace}`,
    );
  });

  test('is refused for another secret', async () => {
    expect(await refusal(asRita(dryRun, secretReveal('other', rita)))).toContain('may not access secret other');
  });

  test('is refused with a finalizer, which would keep the answer, to everybody', async () => {
    const held = { ...secretReveal(secret, rita), metadata: { name: 'look', finalizers: ['example.com/hold'] } };

    expect(await refusal(asRita(dryRun, held))).toContain(
      'a reveal goes after a minute, and a finalizer would keep it',
    );
  });

  test.each([
    ['a person', () => asRita, rita],
    ['a service account', () => asAccount, account],
    ['an administrator', () => admin, 'admin'],
    ['the operator, whose probe sees by it that the policy is in force', () => inOwnNamespace, operator],
  ])('is refused in the name of another, to %s', async (_who, kubectl, name) => {
    expect(await refusal(kubectl()(dryRun, secretReveal(secret, 'keyferry:probe')))).toMatch(
      new RegExp(
        `ValidatingAdmissionPolicy 'keyferry-secret-reveals'.*spec.requestedBy must be who writes it: ${name}`,
      ),
    );
  });

  test('goes with groups of the writer only', async () => {
    const asGroup = (requestedByGroups: readonly string[]): Promise<string | undefined> =>
      refusal(asRita([...dryRun, '--as-group', 'shop'], secretReveal(secret, rita, { requestedByGroups })));

    expect(await asGroup(['shop'])).toBeUndefined();
    expect(await asGroup(['shop', 'system:masters'])).toContain(
      `spec.requestedByGroups may name only groups of ${rita}`,
    );
  });
});

const inOwnNamespace = kubectlIn(cluster, 'keyferry', operator);

describe('security rule 3: a status', () => {
  const looks: readonly (readonly [kind: string, name: string, object: unknown, status: object])[] = [
    ['VersionedSecret', secret, versionedSecret(secret), { latest: 7 }],
    ['SecretVersion', `${secret}-1`, secretVersion(secret, { createdBy: 'admin' }), { state: 'Accepted' }],
    ['SecretReveal', 'look', secretReveal(secret, 'admin'), { state: 'Refused' }],
  ];

  test.each(looks)("of a %s is the operator's to write", async (kind, name, object, status) => {
    await admin(['create', '-f', '-'], object);
    const says = `the status of ${kind.toLowerCase()}s belongs to the operator`;

    expect(await refusal(writeStatus(admin, kind, name, status))).toContain(says);
    expect(await refusal(writeStatus(asOperator, kind, name, status))).toBeUndefined();
  });

  test.each(looks)('of a %s can not be given when it is made', async (kind, name, object, status) => {
    const other = kind === 'SecretVersion' ? secretVersion('third', { createdBy: 'admin' }) : object;
    const { metadata, ...rest } = z.looseObject({ metadata: z.looseObject({ name: z.string() }) }).parse(other);
    const own = kind === 'SecretVersion' ? metadata : { ...metadata, name: `${name}-with` };

    await admin(['create', '-f', '-'], { ...rest, metadata: own, status });

    expect(await admin(['get', kind, own.name, '-o', 'jsonpath={.status}'])).toBe('');
  });

  test('is all that the operator may write of a secret and of a reveal', async () => {
    const metadata = { labels: { team: 'shop' } };

    expect(await refusal(tryPatch(asOperator, 'vsec', secret, { metadata }))).toContain('cannot patch resource');
    expect(await refusal(tryPatch(asOperator, 'srev', 'look', { metadata }))).toContain('cannot patch resource');
    expect(await refusal(asOperator(['delete', 'vsec', secret, '--dry-run=server']))).toContain(
      'cannot delete resource',
    );
    expect(await refusal(asOperator(['delete', 'srev', 'look', '--dry-run=server']))).toBeUndefined();
  });
});

describe('what is denied', () => {
  test.each([
    ['a reveal', 'access', 'keyferry-secret-reveals', secretReveal(secret, eve)],
    ['a put', 'put', 'keyferry-secret-versions', secretVersion(secret, { createdBy: rita, version: 9 })],
    ['a new secret', 'put', 'keyferry-versioned-secrets', versionedSecret(secret, {}, { name: 'third' })],
  ])('%s stands in the audit log of the cluster, with who, verb and secret', async (_what, verb, policy, object) => {
    const [kubectl, user] = verb === 'access' ? [asEve, eve] : [asRita, rita];

    expect(await refusal(kubectl(dryRun, object))).toContain(`may not ${verb} secret`);

    await eventually('the audit log has it', async () => {
      expect(await refusedIn(cluster, user, policy)).toMatchObject({
        [`${policy}/who`]: user,
        [`${policy}/verb`]: verb,
        [`${policy}/secret`]: expect.stringMatching(new RegExp(`^${namespace}/(db.password|third)$`)),
      });
    });
  });
});
