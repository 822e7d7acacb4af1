import { rolloutFieldManager } from '../../api/v1/names.ts';
import { type RolledKind, rolledKinds } from '../../api/v1/rollout.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isInvalid, isNotFound } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { RawObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';
import type { Request } from '../../runtime/request.ts';
import type { ObjectView } from '../object-view.ts';
import type { Workload } from '../rollout/workload.ts';
import type { Reference } from '../secret-reference/reference.ts';
import type { Budget } from './budget.ts';
import { confirmDue } from './confirm.ts';
import { type DueTarget, dueTargets } from './due.ts';
import { markerPatch } from './marker-patch.ts';
import type { Pace } from './pace.ts';
import { recordRollout } from './workload-events.ts';

export interface WorkloadScope {
  readonly client: KubeClient;
  /** Workloads by `workloadRequest`, with what we have just written ourselves. */
  readonly view: ObjectView<Workload>;
  /** The references in whose ledgers a workload stands, as they were last written. */
  readonly referencesOf: (uid: string) => readonly Reference[];
  readonly resourceOf: (kind: RolledKind) => Resource;
  readonly toWorkload: (kind: RolledKind, raw: RawObject) => Workload;
  readonly pace: Pace;
  readonly budget: Budget;
  readonly notes: WaitingNotes;
  readonly events: Pick<EventRecorder, 'record'>;
}

/** Why workloads wait, for the status of the references. */
export interface WaitingNotes {
  get(uid: string): string | undefined;
  /** Notes a reason, or that there is none any more. */
  set(uid: string, reason: string | undefined, references: readonly Reference[]): void;
}

/** Milliseconds until a workload is looked at again that waits for something which may not call. */
const LOOK_AGAIN = 30_000;

/** One look at one workload: if its pods run older content than the targets that it consumes, marks its template with the content, once for all of them. */
export async function reconcileWorkload(
  scope: WorkloadScope,
  request: Request,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const workload = scope.view.get(request);
  const kind = rolledKinds.find((each) => each === workload?.kind);
  if (kind === undefined || workload === undefined || workload.metadata.deletionTimestamp !== undefined) {
    scope.view.forget(request);
    return {};
  }
  const { uid } = workload.metadata;
  const due = dueTargets(scope.referencesOf(uid), workload);
  const references = due.map(({ reference }) => reference);
  if (due.length === 0) {
    scope.pace.forget(uid);
    scope.notes.set(uid, undefined, []);
    return {};
  }
  const wait = scope.pace.check(workload, due);
  if (wait !== undefined) {
    scope.notes.set(uid, wait.reason, references);
    return { requeueAfter: wait.ms };
  }
  if (!scope.budget.take(uid)) {
    scope.budget.wait(request);
    scope.notes.set(uid, 'as many workloads as may be are being rolled out', references);
    return { requeueAfter: LOOK_AGAIN };
  }
  return rollOut(scope, kind, workload, due, signal);
}

/** Has a place in the budget, and gives it back where nothing was rolled out. */
async function rollOut(
  scope: WorkloadScope,
  kind: RolledKind,
  workload: Workload,
  due: readonly DueTarget[],
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const { uid } = workload.metadata;
  let marked: Workload | undefined;
  try {
    const confirmed = await Promise.all(due.map((item) => confirmDue(scope.client, workload, item, signal)));
    const still = confirmed.filter((item) => item !== undefined);
    if (still.length === 0) return { requeueAfter: LOOK_AGAIN };
    const body = markerPatch(kind, workload, still);
    const options = { signal, fieldManager: rolloutFieldManager, force: true };
    marked = scope.toWorkload(kind, await scope.client.apply(scope.resourceOf(kind), body, options));
    scope.notes.set(uid, undefined, []);
    scope.pace.forget(uid);
    recordRollout(scope.events, scope.resourceOf(kind), workload, still);
    return {};
  } catch (error) {
    if (isNotFound(error)) return {};
    if (!isForbidden(error) && !isInvalid(error)) throw error;
    const reason = 'the operator may not mark its pod template: its role, a policy or a webhook refuses it';
    scope.notes.set(
      uid,
      reason,
      due.map(({ reference }) => reference),
    );
    return { requeueAfter: LOOK_AGAIN };
  } finally {
    if (marked !== undefined) scope.view.wrote(marked);
    noteRollout(scope.budget, marked ?? workload);
  }
}

/** Whether a workload takes a place in the budget, by what is known of it. */
export function noteRollout(budget: Budget, { metadata, markedAt, progress }: Workload): void {
  const rolling =
    markedAt !== undefined && progress.state === 'Progressing' && metadata.deletionTimestamp === undefined;
  budget.note(metadata.uid, rolling ? { since: Date.parse(markedAt) } : undefined);
  budget.callWaiting();
}
