import { describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { KubeError } from '../../kube/errors.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createObjectView } from '../object-view.ts';
import { createApplied } from '../rollout/applied.ts';
import { workloadResources } from '../rollout/resources.ts';
import type { Workload } from '../rollout/workload.ts';
import type { Reference } from '../secret-reference/reference.ts';
import { buildConsumer, buildOwnedSecret, buildReference, buildWorkload, buildWorkloads } from '../testing/builders.ts';
import { createRecordingClient, kubeError, type RecordedCall } from '../testing/recording-client.ts';
import { createBudget } from './budget.ts';
import { workloadRequest } from './controller.ts';
import { createPace } from './pace.ts';
import { reconcileWorkload, type WorkloadScope } from './reconcile.ts';
import { createWaitingNotes } from './waiting-notes.ts';

const marker = 'keyferry.io/content.api-db';
const signal = new AbortController().signal;
const secret = buildOwnedSecret({
  metadata: { annotations: { [annotations.content]: '1:bbbb', [annotations.previous]: '1:aaaa' } },
});
const target = {
  name: 'api-db',
  uid: 'secret-uid',
  resourceVersion: '7',
  ownership: 'Owner',
  inputs: '1:bbbb',
  content: '1:bbbb',
} as const;
const status: SecretReferenceStatus = { target, consumers: [buildConsumer({ state: 'Waiting' })] };
const due = (more: Partial<Parameters<typeof buildReference>[0]> = {}) =>
  buildReference({ status, spec: { rollout: { settle: '0s' } }, ...more });

interface Answers {
  readonly reference?: (call: RecordedCall) => object | KubeError;
  readonly secret?: object | KubeError;
  readonly apply?: (call: RecordedCall) => object | KubeError;
}

/** A workload that is due by the cache; what the API server itself answers is up to the test. */
function setup(
  answers: Answers = {},
  workload: Workload = buildWorkload(),
  references: readonly Reference[] = [due()],
) {
  const clock = createFakeClock();
  const marked = { ...workload, metadata: { ...workload.metadata, resourceVersion: '2' } };
  const client = createRecordingClient((call) => {
    if (call.verb === 'apply') return answers.apply?.(call) ?? marked;
    return call.object.startsWith('secrets/') ? (answers.secret ?? secret) : (answers.reference?.(call) ?? due());
  });
  const applied = createApplied();
  const called: string[] = [];
  const events: string[] = [];
  const scope: WorkloadScope = {
    client,
    view: createObjectView<Workload>(() => workload, workloadRequest),
    referencesOf: () => references,
    resourceOf: (kind) => workloadResources[kind],
    toWorkload: () => marked,
    pace: createPace(60_000, clock, applied),
    budget: createBudget(2, clock, () => undefined),
    applied,
    workloads: buildWorkloads(workload),
    clock,
    notes: createWaitingNotes(({ name }) => called.push(name)),
    events: { record: ({ note }) => events.push(note) },
  };
  const reconcile = () => reconcileWorkload(scope, workloadRequest(workload), signal);
  const applies = () => client.calls.filter(({ verb }) => verb === 'apply');
  return { scope, client, reconcile, applies, called, events };
}

describe('a workload that is due', () => {
  it('is marked with one apply, after the reference and the metadata of the Secret were read', async () => {
    const { reconcile, client, scope, events } = setup();

    expect(await reconcile()).toEqual({});

    expect(client.calls).toMatchObject([
      { verb: 'get', object: 'secretreferences/shop/api-db' },
      { verb: 'get', object: 'secrets/shop/api-db', metadataOnly: true },
      {
        verb: 'apply',
        object: 'deployments/shop/api',
        fieldManager: 'keyferry-rollout',
        force: true,
        body: {
          metadata: { uid: 'workload-uid', resourceVersion: '1' },
          spec: { template: { metadata: { annotations: { [marker]: '1:bbbb' } } } },
        },
      },
    ]);
    expect(scope.applied.content('workload-uid', marker)).toBe('1:bbbb');
    expect(events).toHaveLength(2);
  });

  it('is marked once for all targets that are due', async () => {
    const other = due({ metadata: { name: 'other', uid: 'uid-2' } });
    const reference = ({ object }: RecordedCall) => (object.endsWith('/other') ? other : due());
    const uses = new Map(['api-db', 'other'].map((name) => [name, ['env']] as const));
    const { reconcile, applies } = setup({ reference }, buildWorkload({ uses }), [due(), other]);
    await reconcile();
    expect(applies()).toMatchObject([
      {
        body: {
          spec: {
            template: { metadata: { annotations: { [marker]: '1:bbbb', 'keyferry.io/content.other': '1:bbbb' } } },
          },
        },
      },
    ]);
  });

  it('is not marked again for what this process marked it for', async () => {
    const { reconcile, applies } = setup();
    await reconcile();
    await reconcile();
    expect(applies()).toHaveLength(1);
  });

  it('waits for its place, and says so', async () => {
    const { scope, reconcile, client, called } = setup();
    scope.budget.take({ uid: '1', namespace: 'shop' });
    expect(await reconcile()).toMatchObject({ requeueAfter: expect.any(Number) });
    expect(client.calls).toEqual([]);
    expect(scope.budget.waiting).toBe(1);
    expect(called).toEqual(['api-db']);
    expect(scope.notes.get('workload-uid')).toMatchObject({ refused: false });
  });

  it('waits for its window without a call', async () => {
    const { reconcile, client } = setup({}, buildWorkload(), [due({ spec: { rollout: { settle: '2s' } } })]);
    expect(await reconcile()).toEqual({ requeueAfter: 2_000 });
    expect(client.calls).toEqual([]);
  });
});

describe('a workload that is due by the cache alone', () => {
  const runsIt = { ...status, consumers: [buildConsumer({ content: '1:bbbb' })] };
  it.each<[string, Answers]>([
    ['the reference is gone', { reference: () => kubeError(404, 'NotFound') }],
    ['the reference was made anew', { reference: () => due({ metadata: { uid: 'uid-2' } }) }],
    ['the ledger says that it runs it', { reference: () => buildReference({ status: runsIt }) }],
    ['the Secret is gone', { secret: kubeError(404, 'NotFound') }],
    ['the Secret holds other content by now', { secret: buildOwnedSecret() }],
    ['the Secret was made anew', { secret: { ...secret, metadata: { ...secret.metadata, uid: 'another' } } }],
  ])('is not marked where %s, and gives its place back', async (_what, answers) => {
    const { reconcile, applies, scope } = setup(answers);
    expect(await reconcile()).toMatchObject({ requeueAfter: expect.any(Number) });
    expect(applies()).toEqual([]);
    expect(scope.budget.take({ uid: '1', namespace: 'shop' })).toBe(true);
  });

  it.each<[string, Workload]>([
    ['its owners take it out', buildWorkload({ choice: 'out' })],
    ['it is being deleted', buildWorkload({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['it is a Pod', buildWorkload({ kind: 'Pod' })],
    ['it does not use the Secret any more', buildWorkload({ uses: new Map() })],
  ])('is not even asked about where %s', async (_what, workload) => {
    const { reconcile, client } = setup({}, workload);
    expect(await reconcile()).toEqual({});
    expect(client.calls).toEqual([]);
  });
});

describe('a marker', () => {
  it.each([403, 422, 400])(
    'that the API server refuses with %i is told as a refusal, and tried again later',
    async (code) => {
      const { reconcile, scope, called } = setup({ apply: () => kubeError(code, '') });
      expect(await reconcile()).toMatchObject({ requeueAfter: expect.any(Number) });
      expect(scope.notes.get('workload-uid')).toEqual({
        reason: expect.stringContaining(`refuses it (${code})`),
        refused: true,
      });
      expect(called).toEqual(['api-db']);
      expect(scope.budget.take({ uid: '1', namespace: 'shop' })).toBe(true);
    },
  );

  it('for a workload that is gone is none', async () => {
    expect(await setup({ apply: () => kubeError(404, 'NotFound') }).reconcile()).toEqual({});
  });

  it('for a workload that is not as it was seen is thrown on, and gives its place back', async () => {
    const { reconcile, scope } = setup({ apply: () => kubeError(409, 'Conflict') });
    await expect(reconcile()).rejects.toMatchObject({ status: 409 });
    expect(scope.budget.take({ uid: '1', namespace: 'shop' })).toBe(true);
  });

  it('whose answer was not heard leaves no certainty of those that were written before', async () => {
    const { reconcile, scope } = setup({ apply: () => kubeError(0, 'DeadlineExceeded', { mayHaveTakenEffect: true }) });
    scope.applied.note('workload-uid', new Map([[marker, '1:aaaa']]), 0);
    await expect(reconcile()).rejects.toBeInstanceOf(KubeError);
    expect(scope.applied.content('workload-uid', marker)).toBeUndefined();
  });
});
