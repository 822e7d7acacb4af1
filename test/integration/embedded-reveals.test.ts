import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretReveals } from '../../src/api/v1/resources.ts';
import type { SecretRevealStatus } from '../../src/api/v1/secret-reveal.ts';
import { oneTimeKey } from '../../src/managers/embedded/sealing/one-time.ts';
import { findCanaries } from '../operator/canaries.ts';
import { eventually } from '../operator/eventually.ts';
import { never } from './kube-connection.ts';
import { type Asker, etcdContents, openReveals, type Reveals, recordsOf } from './reveals-support.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const root = join(import.meta.dirname, '..', '..');
/** Milliseconds: short, so that what ends is seen to end. */
const TTL = 8_000;
let folder: string;
let auditLog: string;
let world: World;
let reveals: Reveals;
let ada: Asker;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-audit-'));
  auditLog = join(folder, 'audit.jsonl');
  world = await startWorld({
    flags: [`--reveal-ttl=${TTL}ms`, `--audit-log=${auditLog}`],
    // The API server starts only where it understands the whole policy.
    cluster: { apiServerArgs: [`--audit-policy-file=${join(root, 'docs', 'audit-policy.yaml')}`] },
  });
  reveals = await openReveals(world);
  await reveals.secret('db', world.canary());
  ada = await reveals.asker('ada', ['db', 'sealed-off', 'not-there', 'kept']);
});
afterAll(async () => {
  await reveals?.close();
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function goes(reveal: string): Promise<void> {
  await eventually(`${reveal} is gone`, async () => {
    if (!(await reveals.isGone(reveal))) throw new Error('it is there');
  });
}

describe('security rule 21: a reveal by somebody who may', () => {
  test('gives the value to the one-time key alone, after it was noted, once', async () => {
    const value = world.canary();
    await reveals.secret('once', value);
    const asker = await reveals.asker('once-asker', ['once']);
    const key = await oneTimeKey();

    const name = await asker.ask('once', key.recipient);
    const { data = '', ...status } = await asker.settled(name);

    expect(status).toMatchObject({ state: 'Answered', version: 1 });
    expect((await key.open(data)).asString()).toBe(value);
    await expect((await oneTimeKey()).open(data)).rejects.toThrow('can not be opened');
    expect(await recordsOf(auditLog, 'once')).toEqual([
      {
        time: expect.stringMatching(/Z$/),
        stream: 'audit',
        action: 'reveal',
        user: 'once-asker',
        namespace: reveals.namespace,
        secret: 'once',
        version: 1,
        for: key.recipient.slice(0, 12),
        result: 'Allowed',
        reason: 'an outage',
      },
    ]);
    expect(await world.operator().metrics()).toMatch(/keyferry_reveals_total\{result="Answered"\} [1-9]/);
  });

  test('is gone when its time is over, with the answer', async () => {
    const { recipient } = await oneTimeKey();
    const name = await ada.ask('db', recipient);
    await ada.settled(name);

    await goes(name);
    expect(await reveals.isGone(name)).toBe(true);
  });

  test('can not be changed into another', async () => {
    const { recipient } = await oneTimeKey();
    const name = await ada.ask('db', recipient);
    const body = { metadata: { name, namespace: reveals.namespace }, spec: { secret: 'sealed-off' } };

    const changed = reveals.admin.client.mergePatch(secretReveals, body, { signal: never, fieldManager: 'person' });

    await expect(changed).rejects.toThrow('a reveal cannot change: ask again by keyferry reveal');
  });

  test('is not answered while the audit log can not be written, and goes all the same', async () => {
    const { recipient } = await oneTimeKey();
    await rename(folder, `${folder}-away`);
    try {
      const name = await ada.ask('db', recipient);
      await eventually('the operator has tried', async () => {
        if (!(await world.logs()).includes('AuditLogError')) throw new Error('not yet');
      });
      await expect(ada.status(name)).rejects.toThrow('nothing became of it');
      await goes(name);
    } finally {
      await rename(`${folder}-away`, folder);
    }
  });
});

describe('a reveal is refused', () => {
  test('by the API server to who may not access the secret, who reads what to ask for', async () => {
    const eve = await reveals.asker('eve', []);
    const { recipient } = await oneTimeKey();

    await expect(eve.ask('db', recipient)).rejects.toThrow('eve may not access secret db in namespace');
    await eventually("it stands in the API server's audit log, with who and why", async () => {
      const lines = (await readFile(world.cluster.auditLog, 'utf8')).split('\n');
      const line = lines.find((each) => each.includes('"keyferry-secret-reveals/who":"eve"'));
      expect(line).toContain('validation_failure');
      expect(line).toContain('eve may not access secret db');
    });
  });

  test('by the API server to who asks in the name of somebody else', async () => {
    const mallory = await reveals.asker('mallory', []);
    const { recipient } = await oneTimeKey();

    await expect(mallory.ask('db', recipient, { requestedBy: 'ada' })).rejects.toThrow(
      'spec.requestedBy must be who writes it: mallory',
    );
  });

  test('for a secret that is write-only', async () => {
    await reveals.secret('sealed-off', world.canary(), { writeOnly: true });
    const { recipient } = await oneTimeKey();

    const status = await ada.settled(await ada.ask('sealed-off', recipient));

    expect(status).toMatchObject({ state: 'Refused', reason: 'WriteOnly' });
    expect(status).not.toHaveProperty('data');
    expect(await recordsOf(auditLog, 'sealed-off')).toMatchObject([{ result: 'Denied', reason: 'WriteOnly' }]);
  });

  test('for a secret or a version that is not there', async () => {
    const { recipient } = await oneTimeKey();

    const missing = await ada.settled(await ada.ask('not-there', recipient));
    const version = await ada.settled(await ada.ask('db', recipient, { version: 7 }));

    expect(missing).toMatchObject({ state: 'Refused', reason: 'SecretNotFound' });
    expect(version).toMatchObject({
      state: 'Refused',
      reason: 'VersionNotFound',
      message: 'secret db has no version 7: it has 1',
    });
  });

  test('to what only looks like a key', async () => {
    const status = await ada.settled(await ada.ask('db', `age1${'q'.repeat(58)}`));

    expect(status).toMatchObject({ state: 'Refused', reason: 'InvalidRecipient' });
  });

  test('where nobody was there to answer in time', async () => {
    await reveals.secret('kept', world.canary());
    const { recipient } = await oneTimeKey();
    await world.operator().stop();
    const name = await ada.ask('kept', recipient);
    const asked = Date.now();
    await eventually('its time is over', () => {
      if (Date.now() < asked + TTL) throw new Error('not yet');
    });

    await world.startOperator();

    await goes(name);
    expect(await recordsOf(auditLog, 'kept')).toMatchObject([{ result: 'Denied', reason: 'TooLate' }]);
  });
});

describe('security rule 4: while a policy is missing', () => {
  const binding = ['validatingadmissionpolicybinding', 'keyferry-secret-reveals'];

  /** Asks until the answer is this one. */
  async function revealed(reason: string): Promise<SecretRevealStatus> {
    const { recipient } = await oneTimeKey();
    return eventually(`a reveal is ${reason}`, async () => {
      const status = await ada.settled(await ada.ask('db', recipient));
      if (status.reason !== reason) throw new Error(`it is ${status.reason}: ${status.message}`);
      return status;
    });
  }

  test('a false name gets nothing; once it is back, reveals are answered again', async () => {
    const trent = await reveals.asker('trent', []);
    const key = await oneTimeKey();
    await world.kubectl('delete', ...binding);

    const forged = await eventually('the API server lets a false name through', () =>
      trent.ask('db', key.recipient, { requestedBy: 'ada' }),
    );
    const refused = await trent.settled(forged);

    expect(refused).toMatchObject({ state: 'Refused', reason: 'PolicyMissing' });
    expect(refused.message).toContain('admission policy keyferry-secret-reveals is missing or does not deny');
    expect(await recordsOf(auditLog, 'db')).toContainEqual(
      expect.objectContaining({ result: 'Denied', reason: 'PolicyMissing' }),
    );

    await world.kubectl('apply', '--server-side', '-f', join(root, 'policies', 'secret-reveals.yaml'));
    const answered = await revealed('Answered');
    expect(answered.version).toBe(1);
  });

  test.each([
    [
      'the policy of versions',
      ['validatingadmissionpolicy', 'keyferry-secret-versions'],
      'policies/secret-versions.yaml',
      'admission policy keyferry-secret-versions is missing or does not deny',
    ],
    [
      "the operator's right to try them",
      ['rolebinding', 'keyferry-embedded', '--namespace=keyferry'],
      'rbac/embedded.yaml',
      "something else refuses the operator's dry runs",
    ],
  ])('nothing is revealed without %s', async (_what, object, file, words) => {
    await world.kubectl('delete', ...object);

    const { message } = await revealed('PolicyMissing');

    expect(message).toContain(words);
    await world.kubectl('apply', '--server-side', '-f', join(root, file));
    await expect(revealed('Answered')).resolves.toHaveProperty('version', 1);
  });
});

describe('security rule 4: with the policy in force', () => {
  test('the operator asks for itself whether who asked may, and finds what the policy let through', async () => {
    const heidi = await reveals.asker('heidi', ['db']);
    const { recipient } = await oneTimeKey();
    // The right comes from a group that she leaves out: the policy knows her, the record does not say enough.
    await world.kubectl('delete', 'rolebinding', 'heidi', '-n', reveals.namespace);
    await world.kubectl(
      'create',
      'rolebinding',
      'heidi',
      '-n',
      reveals.namespace,
      '--role=heidi',
      '--group=system:authenticated',
    );

    const name = await eventually('her group may ask', () => heidi.ask('db', recipient, { requestedByGroups: [] }));

    expect(await heidi.settled(name)).toMatchObject({ state: 'Refused', reason: 'NotAllowed' });
  });
});

test('S9: no value that was revealed stands in etcd or in the audit log', async () => {
  const audit = { where: "the operator's audit log", text: await readFile(auditLog, 'utf8') };
  const stored = await etcdContents(world.cluster.etcdUrl);

  expect(stored.some(({ where }) => where.includes('/keyferry.io/secretversions/'))).toBe(true);
  expect(findCanaries(world.canaries(), [audit, ...stored])).toEqual([]);
});

itLeaksNothing(() => world);
