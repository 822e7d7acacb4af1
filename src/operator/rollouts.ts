import { createObjectView, type ObjectView } from '../controllers/object-view.ts';
import { deletePod, listPodsOf } from '../controllers/rollout/pods.ts';
import { createApplied } from '../controllers/rollout/applied.ts';
import { type Moves, watchMoves } from '../controllers/rollout/moves.ts';
import { workloadResources } from '../controllers/rollout/resources.ts';
import { toWorkload } from '../controllers/rollout/to-workload.ts';
import type { Workload, Workloads } from '../controllers/rollout/workload.ts';
import type { Reference } from '../controllers/secret-reference/reference.ts';
import type { RolloutScope } from '../controllers/secret-reference/rollout-findings.ts';
import { createBudget } from '../controllers/workload/budget.ts';
import { parseWorkloadRequest, watchForWorkloads, workloadRequest } from '../controllers/workload/controller.ts';
import { createPace } from '../controllers/workload/pace.ts';
import { reconcileWorkload, type WaitingNotes, type WorkloadScope } from '../controllers/workload/reconcile.ts';
import { createWaitingNotes } from '../controllers/workload/waiting-notes.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Controller, createController } from '../runtime/controller.ts';
import type { Request } from '../runtime/request.ts';
import type { Caches } from './caches.ts';
import type { OperatorParts } from './parts.ts';
import { rolloutMetrics } from './rollout-metrics.ts';

/** Milliseconds: states of consumers that change together are one write of the status. */
const TOGETHER = { soon: 500, later: 5_000 } as const;

export interface Rollouts {
  readonly controller: Controller;
  /** What references need to know of workloads. */
  readonly scope: RolloutScope;
}

export interface RolloutHooks {
  /** References as they were last written. */
  readonly references: ObjectView<Reference>;
  readonly enqueueReferenceAfter: (request: Request, ms: number) => void;
}

/** The controller of workloads, and how it and the references hear of each other. */
export function createRollouts(
  parts: OperatorParts,
  caches: Caches,
  client: KubeClient,
  events: EventRecorder,
  hooks: RolloutHooks,
): Rollouts {
  const { config, clock, registry } = parts;
  const { workloads, references } = caches;
  const enqueueReference = (request: Request, when: 'soon' | 'later'): void =>
    hooks.enqueueReferenceAfter(request, TOGETHER[when]);
  const enqueueWorkload = (request: Request): void => controller.enqueue(request);
  const budget = createBudget(config.maxConcurrentRollouts, clock, enqueueWorkload);
  const notes = createWaitingNotes((request) => enqueueReference(request, 'soon'));
  const applied = createApplied();
  const scope: WorkloadScope = {
    client,
    view: createObjectView((request) => findWorkload(workloads, request), workloadRequest),
    referencesOf: (uid) =>
      references.byIndex('consumer', uid).flatMap((item) => hooks.references.get(item.metadata) ?? []),
    resourceOf: (kind) => workloadResources[kind],
    toWorkload,
    pace: createPace(config.rolloutMinInterval, clock, applied),
    budget,
    applied,
    workloads,
    clock,
    notes,
    events,
  };
  const controller = createController({
    ...parts,
    name: 'workload',
    concurrency: config.concurrency,
    reconcile: (request, signal) => reconcileWorkload(scope, request, signal),
  });
  const moves = watchMoves(workloads, clock);
  const forget = (workload: Workload): void => forgetWorkload(scope, moves, workload);
  watchForWorkloads({ workloads, references, budget, forget, enqueueWorkload, enqueueReference });
  const observe = rolloutMetrics(registry, () => budget.waiting);
  return {
    controller,
    scope: { ...referenceSide(client, workloads, notes, config.deleteStuckPods), observe, applied, movedAt: moves.at },
  };
}

function forgetWorkload({ pace, applied, notes, budget }: WorkloadScope, moves: Moves, { metadata }: Workload): void {
  pace.forget(metadata.uid);
  applied.forget(metadata.uid);
  moves.forget(metadata.uid);
  notes.set(metadata.uid, undefined, []);
  budget.note(metadata, undefined);
  budget.callWaiting();
}

function findWorkload(workloads: Workloads, request: Request): Workload | undefined {
  const parsed = parseWorkloadRequest(request);
  return parsed === undefined ? undefined : workloads.get(parsed.kind, request.namespace, parsed.name);
}

function referenceSide(
  client: KubeClient,
  workloads: Workloads,
  notes: WaitingNotes,
  deletes: boolean,
): Omit<RolloutScope, 'observe'> {
  return {
    workloads,
    waiting: (uid) => notes.get(uid)?.reason,
    refused: (uid) => (notes.get(uid)?.refused === true ? notes.get(uid)?.reason : undefined),
    podsOf: (workload, signal) => listPodsOf(client, workload, signal),
    unstick: deletes ? (workload, pod, signal) => deletePod(client, workload, pod, signal) : undefined,
  };
}
