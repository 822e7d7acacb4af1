import type { Consumer } from '../../api/v1/rollout.ts';
import { type Want, wantsOf } from '../explain/wants.ts';
import { presentReady, type ReferenceView, referenceLabel } from '../status/reference.ts';

/** Which secret, and the version that everything should come to run. */
export interface Rotation {
  /** Whether a name in a reference is that of the secret. */
  readonly isSecret: (name: string, reference: ReferenceView) => boolean;
  readonly version: string;
  /** The stage that is another word for latest. */
  readonly latestStage: string;
  /** Whether a reference's want is of this secret: its manager may be another. */
  readonly isOurs: (reference: ReferenceView, want: Pick<Want, 'manager'>) => boolean;
}

/** How far one reference, or one of its consumers, is. */
export interface Mover {
  /** `shop/api-db`, or `shop/api-db Deployment/api`. */
  readonly who: string;
  /**
   * - `moved`: it runs the new version.
   * - `moving`: it is on its way, or will be.
   * - `pinned`: its spec names another version.
   * - `fixed`: nothing here restarts it.
   * - `unasked`: its spec does not ask for the secret any more, and its Secret still holds what it held.
   * - `failed`: it did not come up.
   */
  readonly state: 'moved' | 'moving' | 'pinned' | 'fixed' | 'unasked' | 'failed';
  readonly says: string;
}

export interface Progress {
  readonly movers: readonly Mover[];
  /** Nothing more will happen by itself. */
  readonly settled: boolean;
  /** Everything runs the new version. */
  readonly through: boolean;
}

/** How far a rotation is, by what the operator wrote of each reference. */
export function progressOf(references: readonly ReferenceView[], rotation: Rotation): Progress {
  const movers = references
    .flatMap((reference) => moversOf(reference, rotation))
    .toSorted((a, b) => a.who.localeCompare(b.who));
  return {
    movers,
    settled: movers.every(({ state }) => state !== 'moving'),
    through: movers.every(({ state }) => state === 'moved'),
  };
}

function moversOf(reference: ReferenceView, rotation: Rotation): readonly Mover[] {
  const asked = wantsOf(reference.spec).filter((want) => rotation.isOurs(reference, want));
  const ours = asked.filter(({ secret }) => secret !== undefined && rotation.isSecret(secret, reference));
  // What is found by prefix or tags names no secret, and may find this one.
  const asks = ours.length > 0 || asked.some(({ secret }) => secret === undefined);
  const held = heldVersions(reference, rotation);
  if (ours.length === 0 && held.length === 0) return [];
  const who = referenceLabel(reference);
  const pinned = pinOf(ours, rotation);
  if (pinned !== undefined) return [{ who, state: 'pinned', says: pinned }];
  if (!follows(ours, held, rotation)) return [asks ? waiting(reference, who) : letGo(reference, who, held)];
  const consumers = reference.status.consumers ?? [];
  const itself: Mover = { who, state: 'moved', says: `its Secret holds version ${rotation.version}` };
  return [itself, ...consumers.map((consumer) => consumerMover(reference, consumer))];
}

/** The versions of this secret that the target holds. */
function heldVersions(reference: ReferenceView, { isSecret, isOurs }: Rotation): readonly string[] {
  return (reference.status.versions ?? [])
    .filter((one) => isSecret(one.secret, reference) && isOurs(reference, { manager: managerOf(one.manager) }))
    .map(({ version }) => version);
}

/** The manager that a status names: `ClusterSecretManager/default`. */
export function managerOf(label: string): Want['manager'] {
  const [kind, ...name] = label.split('/');
  return { kind: kind === 'SecretManager' ? kind : 'ClusterSecretManager', name: name.at(-1) ?? '' };
}

/** Why it keeps an older version by its own spec. One entry that names it is enough: the old value stays where it is. */
function pinOf(ours: readonly Want[], { version, latestStage }: Rotation): string | undefined {
  const pinned = ours.find((want) => want.version !== undefined && want.version !== version);
  if (pinned !== undefined) return `${pinned.where} names version ${pinned.version}`;
  const staged = ours.find(({ stage }) => stage !== undefined && stage !== latestStage);
  return staged === undefined ? undefined : `${staged.where} names the stage ${staged.stage}`;
}

function follows(ours: readonly Want[], held: readonly string[], { version }: Rotation): boolean {
  // What `versions: {last: 3}` holds besides is meant to be old.
  return held.includes(version) || (ours.length > 0 && ours.every(({ version: id }) => id === version));
}

function waiting(reference: ReferenceView, who: string): Mover {
  const ready = presentReady(reference);
  if (reference.spec.suspend || ready?.reason === 'Suspended') {
    return { who, state: 'fixed', says: `it is suspended: keyferry resume ${reference.metadata.name}` };
  }
  if (reference.status.held !== undefined) {
    return { who, state: 'failed', says: `it went back after a failed rollout: ${reference.status.held.why}` };
  }
  const why = ready === undefined || ready.status === 'True' ? 'not read yet' : `${ready.reason}: ${ready.message}`;
  return { who, state: 'moving', says: why };
}

/** Its Secret holds the secret from a spec before. Once the operator has looked at the present one, it keeps that for good where that one does not work. */
function letGo(reference: ReferenceView, who: string, held: readonly string[]): Mover {
  const ready = presentReady(reference);
  const before = waiting(reference, who);
  if (ready === undefined || before.state !== 'moving') return before;
  const why = ready.status === 'True' ? '' : `, as its present spec does not work (${ready.reason}: ${ready.message})`;
  return {
    who,
    state: 'unasked',
    says: `not asked for any more; its Secret still holds version ${held.join(', ')}${why}`,
  };
}

function consumerMover(reference: ReferenceView, consumer: Consumer): Mover {
  const who = `${referenceLabel(reference)} ${consumer.kind}/${consumer.name}`;
  const { state, message, content } = consumer;
  const wanted = reference.status.target?.content;
  const says = message === undefined ? state : `${state}: ${message}`;
  const runsIt = content !== undefined && content === wanted;
  if (runsIt && (state === 'Complete' || state === 'LeftAlone')) return { who, state: 'moved', says: 'runs it' };
  if (state === 'LeftAlone') return { who, state: 'fixed', says };
  if (state === 'Failed') return { who, state: 'failed', says };
  return { who, state: 'moving', says };
}

const words = {
  moved: 'moved',
  moving: 'on its way',
  pinned: 'pinned',
  fixed: 'not restartable',
  unasked: 'not asked for',
  failed: 'failed',
} as const satisfies Record<Mover['state'], string>;

/** One line for each, those that need somebody last. */
export function describeMovers(movers: readonly Mover[]): string {
  const order: readonly Mover['state'][] = ['moved', 'moving', 'pinned', 'fixed', 'unasked', 'failed'];
  return movers
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .map(({ who, state, says }) => `${words[state].padEnd(16)} ${who}: ${says}\n`)
    .join('');
}
