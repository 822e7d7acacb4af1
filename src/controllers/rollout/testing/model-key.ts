import type { KubeObject } from '../../../kube/object.ts';
import type { Reference } from '../../secret-reference/reference.ts';
import type { ExistingSecret } from '../../secret-reference/target-secret.ts';
import type { Workload } from '../workload.ts';
import { bytesOf, marker, type Pods } from './model-cluster.ts';
import type { World } from './model-steps.ts';
import type { Operator } from './model-operator.ts';

/**
 * Names worlds: two with the same key go on in the same way. Objects are shared between worlds and never change, so each is looked at once, and stands in
 * keys as a number. The resource versions of references count only by their distance from the present.
 */
export class Keys {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  of({ cluster, operators, left }: World): string {
    const { now, latest, secret, reference, pods, history, made } = cluster;
    const parts = [now, latest, made, this.#number(secret, describeSecret), this.#reference(reference, reference)];
    const inPods = pods.map((one) => this.#number(one, describePods)).join();
    const minds = operators.map((one) => this.#operator(one, reference)).join('|');
    return [...parts, inPods, this.#number(history, String), this.#number(left, Object.entries), minds].join(' ');
  }

  #number<T extends object>(object: T | undefined, describe: (object: T) => unknown): number {
    if (object === undefined) return -1;
    const before = this.#known.get(object);
    if (before !== undefined) return before;
    const text = JSON.stringify(describe(object));
    const found = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, found);
    this.#known.set(object, found);
    return found;
  }

  #reference(object: Reference | undefined, present: KubeObject | undefined): string {
    return `${this.#number(object, describeReference)}:${object === undefined ? '' : age(object, present)}`;
  }

  #workloads(all: readonly Workload[]): string {
    return all.map((one) => this.#number(one, describeWorkload)).join();
  }

  #operator({ cache, look, visit, applied, ...more }: Operator, present: KubeObject | undefined): string {
    const target = this.#number(cache.target, describeSecret);
    const inCache = [this.#reference(cache.reference, present), this.#workloads(cache.workloads), target];
    const inMind = [more.reading, more.known, more.asked, this.#number(applied, (map) => [...map])];
    const inLook = look.at === 'idle' ? '' : `${this.#number(look, describeLook)}:${age(look.reference, present)}`;
    const inVisit = visit.at === 'idle' ? '' : this.#visit(visit, present);
    return [...inCache, ...inMind, inLook, inVisit].join(' ');
  }

  #visit(visit: Exclude<Operator['visit'], { at: 'idle' }>, present: KubeObject | undefined): string {
    const workload = this.#workloads([visit.workload]);
    if (visit.at === 'mark') return `${workload}=${visit.content}`;
    const read = visit.reference === 'missing' ? '-' : this.#reference(visit.reference, present);
    const secret = visit.secret === 'missing' ? '-' : this.#number(visit.secret, describeSecret);
    return [workload, visit.due.content, visit.due.reference.metadata.uid, read, secret].join('/');
  }
}

/** How many writes ago an object was what it is here. */
function age({ metadata }: KubeObject, present: KubeObject | undefined): string {
  if (present === undefined || present.metadata.uid !== metadata.uid) return 'gone';
  return String(Number(present.metadata.resourceVersion) - Number(metadata.resourceVersion));
}

function describeSecret(secret: ExistingSecret): unknown {
  const { uid, resourceVersion, managedFields, annotations } = secret.metadata;
  return ['secret', uid, resourceVersion, bytesOf(secret), annotations, managedFields];
}

function describeReference({ metadata, status }: Reference): unknown {
  const { target, consumers = [] } = status;
  const ledger = consumers.map(({ uid, content, state }) => [uid, content, state]);
  return ['reference', metadata.uid, status.observedGeneration, target, ledger];
}

function describeWorkload({ metadata, markers }: Workload): unknown {
  const { uid, resourceVersion, creationTimestamp } = metadata;
  return ['workload', uid, resourceVersion, creationTimestamp, markers.get(marker)];
}

function describePods({ workload, ...more }: Pods): unknown {
  return ['pods', describeWorkload(workload), more];
}

function describeLook(look: Exclude<Operator['look'], { at: 'idle' }>): unknown {
  const { at, reference, version } = look;
  const body = 'body' in look ? look.body : '';
  const status = 'status' in look ? describeReference({ ...reference, status: look.status }) : '';
  return ['look', at, describeReference(reference), version, body, status];
}
