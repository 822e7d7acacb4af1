/** The names by which the history tells operators apart. */
export type Slot = 'a' | 'b';

/** Who sends requests to the API server: an operator, or the people of a run. */
export type Party = Slot | 'p';

export type Json = Readonly<Record<string, unknown>>;

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** An object as it was for a while, as the API server told the recorder. */
export interface ObjectVersion {
  readonly kind: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly name: string;
  readonly uid: string;
  /** Of etcd: comparable between all objects of the cluster. */
  readonly revision: number;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owners: readonly OwnerReference[];
  /** All of it. */
  readonly object: Json;
  /** When the recorder heard of it, in milliseconds of the history: not before it was so. */
  readonly at: number;
}

/** What the backend was told. */
export interface BackendChange {
  readonly kind: 'put' | 'move' | 'delete';
  readonly secret: string;
  /** The version that is latest from now on; empty after a deletion. */
  readonly version: string;
  /** What was put, also where a version becomes latest again. */
  readonly value: string;
  /** Just before it was told. */
  readonly at: number;
}

/** A request to the API server, of an operator where nothing else is said. */
export interface ApiRequest {
  readonly slot: Party;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly body: Json | undefined;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  /** When it came. */
  readonly at: number;
  /** What the API server answered; undefined where it never saw it. */
  readonly status: number | undefined;
}

/** A call of an operator to the backend. */
export interface BackendCall {
  readonly action: string;
  readonly secrets: readonly string[];
  readonly at: number;
}

/** What people did and what it permits. */
export interface Act {
  readonly kind: 'delete-reference' | 'delete-secret' | 'edit-secret' | 'revoke-and-delete' | 'edit-workload' | 'fault';
  readonly name: string;
  readonly at: number;
  /** What it made of the object, where that is known. */
  readonly revision?: number;
}

/** Something that the run waited for. */
export interface Wait {
  readonly what: string;
  readonly met: boolean;
  readonly law: 'L1' | 'L2' | 'L7' | 'L8';
  /** What was still wrong at the end of the wait. */
  readonly why: string;
}

export interface Text {
  readonly where: string;
  readonly text: string;
}

/** What a person wants to be a version of a secret in the cluster. Once it is told to be accepted, it is noted again, with its number. */
export interface EmbeddedPut {
  readonly secret: string;
  readonly value: string;
  /** The version whose value it repeats; undefined where it is a new value. */
  readonly from: number | undefined;
  /** Undefined: no answer is sure yet. */
  readonly version: number | undefined;
  /** Just before it was first asked for. */
  readonly at: number;
}

/** Secrets that are kept in the cluster. */
export interface EmbeddedHistory {
  readonly puts: readonly EmbeddedPut[];
  /** What people were told that they should not have been. */
  readonly refusals: readonly string[];
  /** By what is sealed: what it holds; undefined where no key that there ever was opens it. */
  readonly opened: ReadonlyMap<string, string | undefined>;
  /** How many versions of each secret are kept. */
  readonly kept: number;
}

/** Everything that happened in one run. Arrays are in order of time; versions of objects in order of revision. */
export interface History {
  readonly namespace: string;
  /** Where else operators may work: the namespace of their lease. */
  readonly ownNamespaces: readonly string[];
  /** The cluster-scoped objects of this run. */
  readonly manager: string;
  readonly objects: readonly ObjectVersion[];
  readonly backend: readonly BackendChange[];
  readonly requests: readonly ApiRequest[];
  readonly calls: readonly BackendCall[];
  readonly acts: readonly Act[];
  readonly waits: readonly Wait[];
  /** What the operators wrote to their logs. */
  readonly logs: readonly Text[];
  /** Parts of secret values that may stand nowhere. */
  readonly canaries: readonly string[];
  /** Undefined where no secrets are kept in the cluster. */
  readonly embedded?: EmbeddedHistory;
}

/** The names in ../shared/invariants.md. */
export type Law = `S${number}` | `L${number}`;

export interface Violation {
  readonly law: Law;
  readonly what: string;
}

export type Oracle = (history: History) => readonly Violation[];
