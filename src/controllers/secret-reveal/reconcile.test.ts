import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RevealReason, secretRevealStatusSchema, type SecretRevealStatus } from '../../api/v1/secret-reveal.ts';
import { KubeError } from '../../kube/errors.ts';
import { oneTimeKey } from '../../managers/embedded/sealing/one-time.ts';
import type { EmbeddedSecret } from '../../managers/embedded/backend.ts';
import { ManagerError } from '../../managers/errors.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import type { AuditEntry } from '../audit.ts';
import type { GateState } from '../embedded/gate.ts';
import { buildMetadata } from '../testing/builders.ts';
import { createRecordingClient, kubeError, type RecordedCall } from '../testing/recording-client.ts';
import { createRevealMemory, reconcileReveal } from './reconcile.ts';
import { type Reveal, toReveal } from './reveal.ts';
import { buildSecret, buildSpec } from './testing/builders.ts';

const request = { namespace: 'shop', name: 'ask' };
const { signal } = new AbortController();
const key = await oneTimeKey();
const created = '2026-01-01T00:00:00Z';

function buildReveal(overrides: Partial<Reveal> = {}, metadata: Partial<Reveal['metadata']> = {}): Reveal {
  return {
    metadata: buildMetadata({
      name: 'ask',
      uid: 'ask-uid',
      resourceVersion: '5',
      creationTimestamp: created,
      ...metadata,
    }),
    spec: buildSpec({ recipient: key.recipient }),
    settled: false,
    ...overrides,
  };
}

/** What happened, in order. */
function setUp() {
  const clock = createFakeClock();
  const steps: string[] = [];
  const audit: AuditEntry[] = [];
  const settled: RevealReason[] = [];
  const state = {
    reveal: buildReveal() as Reveal | undefined,
    gate: { open: true } as GateState,
    allowed: true,
    secret: buildSecret() as EmbeddedSecret | undefined,
    spec: {} as object | KubeError,
    value: SecretValue.fromString('canary') as SecretValue | Error,
    auditFails: false,
    write: undefined as KubeError | undefined,
  };
  const client = createRecordingClient((call) => {
    steps.push(call.verb);
    if (call.verb === 'apply' && state.write !== undefined) return state.write;
    if (call.verb !== 'get') return { metadata: buildMetadata() };
    return state.spec instanceof KubeError ? state.spec : { metadata: buildMetadata(), spec: state.spec };
  });
  const scope = {
    client,
    find: () => state.reveal,
    gate: { confirm: () => Promise.resolve(state.gate) },
    authorizer: { mayDo: async () => (steps.push('ask'), state.allowed) },
    backend: {
      findObject: () => state.secret,
      open: async () => {
        steps.push('open');
        if (state.value instanceof Error) throw state.value;
        return state.value;
      },
    },
    audit: {
      record: async (entry: AuditEntry) => {
        if (state.auditFails) throw new Error('full');
        steps.push('note');
        audit.push(entry);
      },
    },
    memory: createRevealMemory(),
    ttl: 60_000,
    clock,
    onSettled: (reason: RevealReason) => settled.push(reason),
  };
  return { clock, state, steps, audit, settled, client, run: () => reconcileReveal(scope, request, signal) };
}

const writtenSchema = z.object({ status: secretRevealStatusSchema });

/** The status that was written; undefined where none was. */
function statusIn(calls: readonly RecordedCall[]): SecretRevealStatus | undefined {
  const body = calls.find(({ verb }) => verb === 'apply')?.body;
  return body === undefined ? undefined : writtenSchema.parse(body).status;
}

describe('a reveal that is permitted', () => {
  test('is noted before anything is opened, and answered after', async () => {
    const { run, steps, settled } = setUp();

    expect(await run()).toEqual({ requeueAfter: 60_000 });

    expect(steps).toEqual(['ask', 'get', 'note', 'open', 'apply']);
    expect(settled).toEqual(['Answered']);
  });

  test('is answered to the one-time key alone', async () => {
    const { run, client } = setUp();

    await run();

    const status = statusIn(client.calls);
    expect(status).toMatchObject({ state: 'Answered', reason: 'Answered', version: 3 });
    const data = status?.data ?? '';
    expect((await key.open(data)).asString()).toBe('canary');
    await expect((await oneTimeKey()).open(data)).rejects.toThrow('can not be opened');
    expect(JSON.stringify(client.calls)).not.toContain('canary');
  });

  test('is answered on condition of the object that was decided on', async () => {
    const { run, client } = setUp();

    await run();

    expect(client.calls.find(({ verb }) => verb === 'apply')).toMatchObject({
      object: 'secretreveals/shop/ask',
      body: { metadata: { uid: 'ask-uid', resourceVersion: '5' } },
    });
  });

  test('is noted with who, what, why and for which key', async () => {
    const { run, audit } = setUp();

    await run();

    expect(audit).toEqual([
      {
        action: 'reveal',
        user: 'ada',
        namespace: 'shop',
        secret: 'db',
        version: 3,
        for: key.recipient.slice(0, 12),
        result: 'Allowed',
        reason: 'look into the outage',
      },
    ]);
  });

  test('is not answered where it can not be noted', async () => {
    const { run, state, steps } = setUp();
    state.auditFails = true;

    await expect(run()).rejects.toThrow('full');

    expect(steps).toEqual(['ask', 'get']);
  });

  test('is noted once where the answer has to be written again', async () => {
    const { run, state, audit, settled } = setUp();
    state.write = kubeError(409, 'Conflict');
    await expect(run()).rejects.toThrow('Conflict');
    state.write = undefined;

    await run();

    expect(audit).toHaveLength(1);
    expect(settled).toEqual(['Answered']);
  });

  test('and taken back meanwhile is nobody to tell', async () => {
    const { run, state } = setUp();
    state.write = kubeError(404, 'NotFound');

    await expect(run()).resolves.toBeDefined();
  });
});

describe('a reveal', () => {
  test('that was answered is not answered again', async () => {
    const { run, state, steps } = setUp();
    state.reveal = buildReveal({ settled: true });

    await run();

    expect(steps).toEqual([]);
  });

  test('waits while it is not known whether the policies are in force', async () => {
    const { run, state, steps } = setUp();
    state.gate = { open: false, message: 'not yet', unsure: true };

    expect(await run()).toEqual({ requeueAfter: 1_000 });
    expect(steps).toEqual([]);
  });

  test('is refused and noted while a policy is missing, and nothing else is looked at', async () => {
    const { run, state, steps, audit, client } = setUp();
    state.gate = { open: false, message: 'policy p is missing' };

    await run();

    expect(steps).toEqual(['note', 'apply']);
    expect(statusIn(client.calls)).toMatchObject({ state: 'Refused', reason: 'PolicyMissing' });
    expect(audit).toMatchObject([{ result: 'Denied', reason: 'PolicyMissing' }]);
  });

  test('of somebody who may not is refused and noted, without a look at the secret', async () => {
    const { run, state, steps, client, settled } = setUp();
    state.allowed = false;

    await run();

    expect(steps).toEqual(['ask', 'note', 'apply']);
    expect(statusIn(client.calls)).toEqual({
      state: 'Refused',
      reason: 'NotAllowed',
      message: expect.stringContaining('ada may not access'),
    });
    expect(settled).toEqual(['NotAllowed']);
  });

  test.each([
    [{ spec: { writeOnly: true } }, 'WriteOnly'],
    [{ spec: { disabledVersions: [3] } }, 'VersionDisabled'],
    [{ spec: kubeError(404, 'NotFound') }, 'SecretNotFound'],
  ] as const)('heeds what the API server knows and the cache does not yet: %j', async (given, reason) => {
    const { run, state, client } = setUp();
    state.spec = given.spec;

    await run();

    expect(statusIn(client.calls)).toMatchObject({ state: 'Refused', reason });
  });

  test.each([
    [new ManagerError('VersionNotFound', 'version 3 is gone'), 'VersionNotFound', 'version 3 is gone'],
    [new ManagerError('ManagerUnavailable', 'no key'), 'ManagerUnavailable', "3 of secret DB can't be had now: no key"],
    [new ManagerError('InvalidValue', 'odd'), 'ManagerUnavailable', 'odd'],
  ] as const)('whose value can not be had says why, and is noted as failed: %s', async (error, reason, words) => {
    const { run, state, client, audit } = setUp();
    state.value = error;

    await run();

    expect(statusIn(client.calls)).toMatchObject({ state: 'Refused', reason, message: expect.stringContaining(words) });
    expect(audit).toMatchObject([{ result: 'Allowed' }, { result: 'Failed', reason }]);
  });

  test('is tried again where the API server could not be asked for the value', async () => {
    const { run, state, client } = setUp();
    state.value = kubeError(503, 'ServiceUnavailable');

    await expect(run()).rejects.toThrow('503');
    expect(statusIn(client.calls)).toBeUndefined();
  });

  test('to what only looks like a key is refused', async () => {
    const { run, state, client } = setUp();
    state.reveal = buildReveal({ spec: buildSpec() });

    await run();

    expect(statusIn(client.calls)).toMatchObject({ state: 'Refused', reason: 'InvalidRecipient' });
  });
});

describe('the end of a reveal', () => {
  test('is after a minute, whether it was answered or not', async () => {
    const { run, state, clock, client, steps } = setUp();
    state.reveal = buildReveal({ settled: true });
    await clock.advance(59_999);
    expect(await run()).toEqual({ requeueAfter: 1 });
    await clock.advance(1);

    expect(await run()).toEqual({});

    expect(steps).toEqual(['delete']);
    expect(client.calls[0]).toMatchObject({ object: 'secretreveals/shop/ask', body: { uid: 'ask-uid' } });
  });

  test('comes unanswered where nobody was there: it is too late, noted, and deleted', async () => {
    const { run, clock, client, audit, steps } = setUp();
    await clock.advance(60_000);

    await run();

    expect(steps).toEqual(['note', 'apply', 'delete']);
    expect(statusIn(client.calls)).toMatchObject({ state: 'Refused', reason: 'TooLate' });
    expect(audit).toMatchObject([{ result: 'Denied', reason: 'TooLate' }]);
  });

  test('comes also where the audit log can not be written to', async () => {
    const { run, state, clock, steps } = setUp();
    state.auditFails = true;
    await clock.advance(60_000);

    await expect(run()).rejects.toThrow('full');

    expect(steps).toEqual(['delete']);
  });

  test('comes a minute after it was first seen where the clock of the operator is behind', async () => {
    const { run, state, clock, steps } = setUp();
    state.reveal = buildReveal({ settled: true }, { creationTimestamp: '2026-01-01T05:00:00Z' });
    expect(await run()).toEqual({ requeueAfter: 60_000 });
    await clock.advance(60_000);

    await run();

    expect(steps).toEqual(['delete']);
  });

  test('comes to what can not be read as well, which is never answered', async () => {
    const { run, state, clock, steps } = setUp();
    state.reveal = buildReveal({ spec: undefined });
    expect(await run()).toEqual({ requeueAfter: 60_000 });
    await clock.advance(60_000);

    await run();

    expect(steps).toEqual(['delete']);
  });

  test('is not asked for twice, and one that ends is not answered', async () => {
    const { run, state, steps } = setUp();
    state.reveal = buildReveal({}, { deletionTimestamp: created });
    expect(await run()).toEqual({});

    state.reveal = undefined;
    expect(await run()).toEqual({});
    expect(steps).toEqual([]);
  });

  test('another reveal of the same name is noted on its own', async () => {
    const { run, state, audit } = setUp();
    await run();
    state.reveal = buildReveal({}, { uid: 'other-uid' });

    await run();

    expect(audit).toHaveLength(2);
  });
});

describe('what is kept of a reveal', () => {
  const spec = buildSpec();

  test('is whether it has an answer, not the answer', () => {
    const status = { state: 'Answered', data: 'YWdl' };
    const reveal = toReveal({ metadata: buildMetadata(), spec, status });

    expect(reveal).toMatchObject({ spec, settled: true });
    expect(JSON.stringify(reveal)).not.toContain('YWdl');
    expect(toReveal({ metadata: buildMetadata(), spec }).settled).toBe(false);
  });

  test('is never to be answered where it can not be read', () => {
    expect(toReveal({ metadata: buildMetadata(), spec: {} }).spec).toBeUndefined();
    expect(toReveal({ metadata: buildMetadata(), spec, status: 1 }).settled).toBe(true);
  });
});
