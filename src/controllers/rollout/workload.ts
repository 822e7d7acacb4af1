import type { ConsumerKind, Use } from '../../api/v1/rollout.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A marker in a pod template. */
export interface Marker {
  /** As it stands there: see `contentOfMarker`. */
  readonly value: string;
  /** Our field manager alone set it. One that others copied, restored or undid is no evidence of what pods run. */
  readonly ours: boolean;
}

/** How far a workload's own rollout is, by its status alone. */
export interface Progress {
  readonly state: 'Complete' | 'Progressing' | 'Failed' | 'Paused' | 'WaitingForDelete' | 'Partial';
  /** For people: "2 of 3 pods" and the like. Stable while nothing of interest changes: no times, no counters that run. */
  readonly detail?: string;
}

/** What is kept of a workload: how its pod template uses Secrets, our markers in it, and how far it is. */
export interface Workload extends KubeObject {
  readonly kind: ConsumerKind;
  /** By name of the Secret. */
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  /** By name of the annotation (`keyferry.io/content.<target>`). */
  readonly markers: ReadonlyMap<string, Marker>;
  /** When our field manager last changed the template, by the API server's own record (RFC 3339, whole seconds). */
  readonly markedAt: string | undefined;
  /** The annotation `keyferry.io/rollout` of the workload. */
  readonly choice: 'in' | 'out' | undefined;
  readonly progress: Progress;
  /** Eight hex digits over the pod template without our markers: tells whether anybody else changed it. Never stored beyond a rollout. */
  readonly template: string;
  /** How it replaces its pods: `InOrder` is a StatefulSet that waits for each to be ready, with no partition. */
  readonly updates: 'Rolling' | 'InOrder' | 'OnDelete';
  /** The labels that its pods carry (`spec.selector.matchLabels`). */
  readonly selector: Readonly<Record<string, string>>;
  /** An Argo Rollout that takes its pod template from another workload, which is marked in its stead. */
  readonly workloadRef?: { readonly kind: string; readonly name: string };
}

export interface WorkloadChange {
  readonly object: Workload;
  readonly previous: Workload | undefined;
  readonly type: 'added' | 'updated' | 'deleted';
  readonly initial: boolean;
}

/** The workloads that are known, of every kind. */
export interface Workloads {
  get(kind: ConsumerKind, namespace: string, name: string): Workload | undefined;
  /** Those whose pod template uses a Secret, in any way. In a stable order: by kind, then name. */
  usersOf(namespace: string, secret: string): readonly Workload[];
  onChange(handler: (change: WorkloadChange) => void): void;
}

/** Nothing is known, nothing is rolled out. */
export const noWorkloads: Workloads = { get: () => undefined, usersOf: () => [], onChange: () => undefined };
