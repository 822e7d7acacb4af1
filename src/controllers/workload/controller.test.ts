import { describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { Request } from '../../runtime/request.ts';
import type { Workload, WorkloadChange } from '../rollout/workload.ts';
import { type Reference, referenceIndexes } from '../secret-reference/reference.ts';
import { buildConsumer, buildReference, buildWorkload, buildWorkloads } from '../testing/builders.ts';
import { parseWorkloadRequest, watchForWorkloads, workloadRequest } from './controller.ts';

const target = { name: 'api-db', uid: 's', resourceVersion: '7', ownership: 'Owner', inputs: '1:bbbb' } as const;

function watched(...references: readonly Reference[]) {
  const store = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
  const writer = store.writer();
  for (const reference of references) writer.put(reference);
  const handlers: ((change: WorkloadChange) => void)[] = [];
  const calls: { readonly references: string[]; readonly workloads: string[]; readonly forgotten: string[] } = {
    references: [],
    workloads: [],
    forgotten: [],
  };
  watchForWorkloads({
    workloads: { ...buildWorkloads(), onChange: (handler) => handlers.push(handler) },
    references: store,
    budget: {
      take: () => true,
      note: () => undefined,
      wait: () => undefined,
      callWaiting: () => undefined,
      waiting: 0,
    },
    forget: ({ metadata }) => calls.forgotten.push(metadata.uid),
    enqueueWorkload: ({ name }: Request) => calls.workloads.push(name),
    enqueueReference: ({ name }, when) => calls.references.push(`${name} ${when}`),
  });
  const change = (object: Workload, type: WorkloadChange['type'] = 'updated', previous = object): void =>
    handlers.forEach((handler) => handler({ object, previous, type, initial: false }));
  return { calls, change, writer };
}

const consuming = (content: string): Reference =>
  buildReference({
    status: { target: { ...target, content: '1:bbbb' }, consumers: [buildConsumer({ content })] },
  });

describe('a workload that changes', () => {
  it('calls the references whose Secret it uses, or used', () => {
    const { calls, change } = watched(buildReference());
    const stopped = buildWorkload({ uses: new Map() });

    change(buildWorkload());
    change(stopped, 'updated', buildWorkload());
    change(stopped);

    expect(calls.references).toEqual(['api-db soon', 'api-db soon']);
  });

  it('calls the references that list it', () => {
    const rollout = { policy: 'Listed', workloads: [{ name: 'api' }] };
    const { calls, change } = watched(buildReference({ spec: { rollout } }));

    change(buildWorkload({ uses: new Map() }));

    expect(calls.references).toEqual(['api-db soon']);
  });

  it('is looked at itself where it stands in a ledger', () => {
    const { calls, change } = watched(consuming('1:bbbb'));
    change(buildWorkload());
    expect(calls.workloads).toEqual(['Deployment/api']);
  });

  it('is left to be shown later where it is only shown', () => {
    const { calls, change } = watched(buildReference());
    change(buildWorkload({ kind: 'Pod' }));
    expect(calls).toMatchObject({ references: ['api-db later'], workloads: [] });
  });

  it('is forgotten when it is gone', () => {
    const { calls, change } = watched(consuming('1:aaaa'));
    change(buildWorkload(), 'deleted');
    expect(calls).toMatchObject({ forgotten: ['workload-uid'], references: ['api-db soon'], workloads: [] });
  });
});

describe('a reference that changes', () => {
  it('calls the consumers that run something else than its Secret holds', () => {
    const { calls, writer } = watched();
    writer.put(consuming('1:aaaa'));
    expect(calls.workloads).toEqual(['Deployment/api']);
  });

  it('calls nobody where all run what the Secret holds', () => {
    const { calls, writer } = watched();
    writer.put(consuming('1:bbbb'));
    expect(calls.workloads).toEqual([]);
  });
});

describe('the request for a workload', () => {
  it('says its kind, and gives it back', () => {
    const request = workloadRequest(buildWorkload({ kind: 'StatefulSet' }));
    expect(request).toEqual({ namespace: 'shop', name: 'StatefulSet/api' });
    expect(parseWorkloadRequest(request)).toEqual({ kind: 'StatefulSet', name: 'api' });
  });

  it('is none for what can not be rolled out', () => {
    expect(parseWorkloadRequest({ namespace: 'shop', name: 'Pod/api' })).toBeUndefined();
  });
});
