import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { KubeError } from './errors.ts';
import { createElector, type Elector, type ElectorOptions } from './lease.ts';
import { leases } from './lease-record.ts';
import { subjectOf } from './path.ts';
import { FakeClient } from './testing/fake-client.ts';
import { createRecordingLogger, type RecordingLogger } from './testing/recording-logger.ts';

const key = 'leases/ops/keyferry';
const unavailable = new KubeError({ subject: subjectOf('patch', leases), status: 503, reason: '' });

/** A candidate, and what became of it. */
interface Candidate {
  readonly elector: Elector;
  readonly stop: AbortController;
  /** Ends its work. */
  readonly finish: PromiseWithResolvers<void>;
  /** The signal of its work, once it leads. */
  readonly work: AbortSignal[];
  readonly outcome: string[];
  readonly settled: Promise<void>;
}

describe('the elector', () => {
  let client: FakeClient;
  let clock: FakeClock;
  let logger: RecordingLogger;
  let candidates: Candidate[];

  beforeEach(() => {
    client = new FakeClient();
    clock = createFakeClock();
    logger = createRecordingLogger();
    candidates = [];
  });

  afterEach(async () => {
    for (const { stop, finish } of candidates) {
      stop.abort();
      finish.resolve();
    }
    await clock.advance(60_000);
    await Promise.all(candidates.map(({ settled }) => settled));
  });

  async function stand(identity: string, options: Partial<ElectorOptions> = {}): Promise<Candidate> {
    const name = { namespace: 'ops', name: 'keyferry' };
    const elector = createElector({ client, ...name, identity, clock, random: () => 0, logger, ...options });
    const stop = new AbortController();
    const finish = Promise.withResolvers<void>();
    const work: AbortSignal[] = [];
    const outcome: string[] = [];
    const onStartedLeading = (signal: AbortSignal): Promise<void> => {
      work.push(signal);
      return finish.promise;
    };
    const settled = elector.run({ signal: stop.signal, onStartedLeading }).then(
      (how) => void outcome.push(how),
      (error: unknown) => void outcome.push(String(error)),
    );
    const candidate = { elector, stop, finish, work, outcome, settled };
    candidates.push(candidate);
    await clock.flush();
    return candidate;
  }

  function spec(): unknown {
    return client.objects.get(key)?.['spec'];
  }

  it('takes a lease that does not exist', async () => {
    const a = await stand('a');

    expect(a.elector.leading).toBe(true);
    expect(spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('renews every two seconds, with one call', async () => {
    await stand('a');
    client.calls.length = 0;

    await clock.advance(6_000);

    expect(client.calls).toEqual([`patch ${key}`, `patch ${key}`, `patch ${key}`]);
    expect(spec()).toMatchObject({ renewTime: '2026-01-01T00:00:06.000000Z' });
  });

  it('lets only one of two lead, however long it takes', async () => {
    const a = await stand('a');
    const b = await stand('b');

    await clock.advance(300_000);

    expect([a.work.length, b.work.length]).toEqual([1, 0]);
  });

  it('takes over at once when the leader stops', async () => {
    const a = await stand('a');
    const b = await stand('b');
    a.stop.abort();
    a.finish.resolve();
    await clock.flush();
    const released = spec();

    await clock.advance(2_000);

    expect(a.outcome).toEqual(['stopped']);
    expect(released).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(b.elector.leading).toBe(true);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('releases the lease also when it stops in the middle of a renewal that takes effect', async () => {
    const a = await stand('a');
    client.fail = () => 'lose';
    await clock.advance(2_000);
    client.fail = () => undefined;

    a.stop.abort();
    a.finish.resolve();
    await clock.flush();

    expect(a.outcome).toEqual(['stopped']);
    expect(spec()).toMatchObject({ holderIdentity: '', renewTime: '2026-01-01T00:00:02.000000Z' });
  });

  it('releases the lease also when it stops in the middle of taking it', async () => {
    client.fail = (call) => (call.startsWith('create') ? 'lose' : undefined);
    const a = await stand('a');

    a.stop.abort();
    await clock.flush();

    expect(a.outcome).toEqual(['stopped']);
    expect(a.work).toEqual([]);
    expect(spec()).toMatchObject({ holderIdentity: '' });
  });

  it('does not release what is somebody else\u2019s by now', async () => {
    const a = await stand('a');
    await client.mergePatch(
      leases,
      { metadata: { name: 'keyferry', namespace: 'ops' }, spec: { holderIdentity: 'thief' } },
      { signal: new AbortController().signal, fieldManager: 'x' },
    );

    a.stop.abort();
    a.finish.resolve();
    await clock.flush();

    expect(a.outcome).toEqual(['stopped']);
    expect(spec()).toMatchObject({ holderIdentity: 'thief' });
  });

  it('keeps the lease while the work drains', async () => {
    const a = await stand('a');
    const b = await stand('b');

    a.stop.abort();
    await clock.advance(60_000);
    const during = { aborted: a.work[0]?.aborted, leading: a.elector.leading, b: b.work.length };
    a.finish.resolve();
    await clock.advance(2_000);

    expect(during).toEqual({ aborted: true, leading: true, b: 0 });
    expect(b.work).toHaveLength(1);
  });

  it('waits a whole lease, by its own clock, before it takes over from a leader that is silent', async () => {
    const renewTime = '1999-01-01T00:00:00.000000Z';
    await client.create(
      leases,
      {
        metadata: { name: 'keyferry', namespace: 'ops' },
        spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime },
      },
      { signal: new AbortController().signal, fieldManager: 'x' },
    );
    const b = await stand('b');

    await clock.advance(14_000);
    const before = b.work.length;
    await clock.advance(2_000);

    expect([before, b.work.length]).toEqual([0, 1]);
  });

  it('loses when it can not renew within the deadline, before anybody else may take over', async () => {
    const a = await stand('a');
    const b = await stand('b');
    await clock.advance(4_000);
    client.fail = (call) => (call.startsWith('patch') ? unavailable : undefined);

    await clock.advance(9_999);
    const before = [...a.outcome];
    await clock.advance(1);
    const after = { outcome: [...a.outcome], aborted: a.work[0]?.aborted, b: b.work.length };
    client.fail = () => undefined;
    await clock.advance(10_000);

    expect(before).toEqual([]);
    expect(after).toEqual({ outcome: ['lost'], aborted: true, b: 0 });
    expect(b.work).toHaveLength(1);
  });

  it('loses in time also when a renewal hangs', async () => {
    const a = await stand('a');
    client.fail = () => 'hang';

    await clock.advance(10_000);

    expect(a.outcome).toEqual(['lost']);
    expect(a.elector.leading).toBe(false);
  });

  it('leads on when single renewals fail', async () => {
    const a = await stand('a');
    let tries = 0;
    client.fail = () => {
      tries += 1;
      return tries % 3 === 0 ? undefined : unavailable;
    };

    await clock.advance(120_000);

    expect(a.outcome).toEqual([]);
    expect(a.elector.leading).toBe(true);
  });

  it('leads on after a renewal that took effect but whose answer got lost', async () => {
    const a = await stand('a');
    const before = client.objects.get(key);
    await client.mergePatch(
      leases,
      { metadata: { name: 'keyferry', namespace: 'ops' } },
      { signal: new AbortController().signal, fieldManager: 'x' },
    );

    await clock.advance(2_000);

    expect(a.outcome).toEqual([]);
    expect(client.objects.get(key)?.metadata.uid).toBe(before?.metadata.uid);
    expect(spec()).toMatchObject({ renewTime: '2026-01-01T00:00:02.000000Z' });
  });

  it('loses at once when the lease is somebody else\u2019s', async () => {
    const a = await stand('a');
    await client.mergePatch(
      leases,
      { metadata: { name: 'keyferry', namespace: 'ops' }, spec: { holderIdentity: 'thief' } },
      { signal: new AbortController().signal, fieldManager: 'x' },
    );

    await clock.advance(2_000);

    expect(a.outcome).toEqual(['lost']);
    expect(spec()).toMatchObject({ holderIdentity: 'thief' });
  });

  it('makes the lease anew when somebody deleted it', async () => {
    const a = await stand('a');
    client.objects.clear();

    await clock.advance(2_000);

    expect(a.outcome).toEqual([]);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
  });

  it('waits for leadership through failures', async () => {
    client.fail = () => unavailable;
    const a = await stand('a');
    await clock.advance(30_000);
    client.fail = () => undefined;

    await clock.advance(2_000);

    expect(a.elector.leading).toBe(true);
    expect(logger.records.filter(({ level }) => level === 'warn').length).toBeGreaterThan(5);
  });

  it('stops waiting', async () => {
    await stand('a');
    const b = await stand('b');

    b.stop.abort();
    await clock.flush();

    expect(b.outcome).toEqual(['stopped']);
    expect(b.work).toEqual([]);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
  });

  it('releases the lease when its work fails, and passes the failure on', async () => {
    const a = await stand('a');

    a.finish.reject(new Error('broken'));
    await clock.flush();

    expect(a.outcome).toEqual(['Error: broken']);
    expect(spec()).toMatchObject({ holderIdentity: '' });
  });

  it('refuses durations that would let two lead', async () => {
    const durations = { lease: 10_000, renewDeadline: 10_000 };

    await expect(stand('a', { durations })).rejects.toThrow(RangeError);
  });
});
