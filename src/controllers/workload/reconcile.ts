import { rolloutFieldManager } from '../../api/v1/names.ts';
import { type RolledKind, rolledKinds } from '../../api/v1/rollout.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isBadRequest, isForbidden, isInvalid, isNotFound, KubeError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { RawObject } from '../../kube/object.ts';
import type { Resource } from '../../kube/resource.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Request } from '../../runtime/request.ts';
import type { ObjectView } from '../object-view.ts';
import type { Applied } from '../rollout/applied.ts';
import { whyLeftAlone } from '../rollout/consumers.ts';
import { marksOurs } from '../rollout/marker.ts';
import type { Workload, Workloads } from '../rollout/workload.ts';
import type { Reference } from '../secret-reference/reference.ts';
import { consumedTarget } from '../secret-reference/rollout-findings.ts';
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
  readonly applied: Applied;
  readonly workloads: Workloads;
  readonly clock: Clock;
  readonly notes: WaitingNotes;
  readonly events: Pick<EventRecorder, 'record'>;
}

/** Why workloads wait, for the status of the references. */
export interface WaitingNotes {
  get(uid: string): WaitingNote | undefined;
  /** Notes a reason, or that there is none any more. */
  set(uid: string, note: WaitingNote | undefined, references: readonly Reference[]): void;
}

export interface WaitingNote {
  readonly reason: string;
  /** It does not wait: the API server refuses it. */
  readonly refused: boolean;
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
  const due = dueTargets(scope.referencesOf(uid), workload, scope.clock.now()).filter((item) =>
    isOpen(scope, workload, item),
  );
  const references = due.map(({ reference }) => reference);
  if (due.length === 0) {
    scope.pace.forget(uid);
    scope.notes.set(uid, undefined, []);
    return {};
  }
  const wait = scope.pace.check(workload, due);
  if (wait !== undefined) {
    scope.notes.set(uid, wait.reason === undefined ? undefined : { reason: wait.reason, refused: false }, references);
    return { requeueAfter: wait.ms };
  }
  if (!scope.budget.take(workload.metadata)) {
    scope.budget.wait(request);
    scope.notes.set(uid, { reason: 'as many workloads as may be are being rolled out', refused: false }, references);
    return { requeueAfter: LOOK_AGAIN };
  }
  return rollOut(scope, kind, workload, due, signal);
}

/** Not what this process marked already: its references have not looked yet. Nor what is left alone by now. */
function isOpen({ applied, workloads }: WorkloadScope, workload: Workload, { target, content }: DueTarget): boolean {
  const marked = applied.content(workload.metadata.uid, target.marker) === content;
  return !marked && whyLeftAlone(target, workload, workloads) === undefined;
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
    const now = scope.clock.now();
    const confirmed = await Promise.all(due.map((item) => confirmDue(scope.client, workload, item, now, signal)));
    const still = confirmed.filter((item) => item !== undefined);
    if (still.length === 0) return { requeueAfter: LOOK_AGAIN };
    const body = markerPatch(kind, workload, still);
    const options = { signal, fieldManager: rolloutFieldManager, force: true };
    marked = scope.toWorkload(kind, await scope.client.apply(scope.resourceOf(kind), body, options));
    scope.applied.note(uid, new Map(still.map(({ target, content }) => [target.marker, content])), scope.clock.now());
    scope.notes.set(uid, undefined, []);
    scope.pace.forget(uid);
    recordRollout(scope.events, scope.resourceOf(kind), workload, still);
    return {};
  } catch (error) {
    // A write that was not answered may have been made: then what was marked before says nothing any more.
    if (error instanceof KubeError && error.mayHaveTakenEffect) scope.applied.forget(uid);
    if (isNotFound(error)) return {};
    if (!isForbidden(error) && !isInvalid(error) && !isBadRequest(error)) throw error;
    const reason = `its pod template can't be marked: the API server refuses it (${error.status}). See whether the operator's role, a policy or a webhook does`;
    scope.notes.set(
      uid,
      { reason, refused: true },
      due.map(({ reference }) => reference),
    );
    return { requeueAfter: LOOK_AGAIN };
  } finally {
    if (marked !== undefined) scope.view.wrote(marked);
    noteRollout(scope.budget, marked ?? workload, scope.referencesOf(uid));
  }
}

/** Whether a workload takes a place in the budget: it is being rolled out, by us, and for what one of its targets holds. */
export function noteRollout(budget: Budget, workload: Workload, references: readonly Reference[]): void {
  const { metadata, markedAt, progress } = workload;
  const rolling =
    markedAt !== undefined &&
    progress.state === 'Progressing' &&
    metadata.deletionTimestamp === undefined &&
    references.some((reference) => isMarkedFor(workload, reference));
  budget.note(metadata, rolling ? { since: Date.parse(markedAt) } : undefined);
  budget.callWaiting();
}

function isMarkedFor(workload: Workload, reference: Reference): boolean {
  return marksOurs(workload.markers.get(consumedTarget(reference).marker), reference.status.target?.content);
}
