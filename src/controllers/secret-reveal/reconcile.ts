import { secretReveals, versionedSecrets } from '../../api/v1/resources.ts';
import {
  type RevealReason,
  revealReasons,
  type SecretRevealSpec,
  type SecretRevealStatus,
} from '../../api/v1/secret-reveal.ts';
import { versionedSecretSpecSchema } from '../../api/v1/versioned-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { EmbeddedBackend } from '../../managers/embedded/backend.ts';
import { sealForRecipient } from '../../managers/embedded/sealing/one-time.ts';
import { ManagerError } from '../../managers/errors.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Request, requestKey } from '../../runtime/request.ts';
import type { AuditEntry, AuditLog } from '../audit.ts';
import type { Authorizer } from '../embedded/authorizer.ts';
import type { PolicyGate } from '../embedded/gate.ts';
import { decideRequest, decideReveal, type Permit, type Refusal, type RevealFacts, refused } from './decide.ts';
import type { Reveal } from './reveal.ts';

export interface RevealScope {
  readonly client: KubeClient;
  readonly find: (request: Request) => Reveal | undefined;
  readonly gate: Pick<PolicyGate, 'confirm'>;
  readonly authorizer: Authorizer;
  readonly backend: Pick<EmbeddedBackend, 'findObject' | 'open'>;
  readonly audit: AuditLog;
  readonly memory: RevealMemory;
  /** Milliseconds from its creation until a reveal is too late to be answered, and deleted. */
  readonly ttl: number;
  readonly clock: Clock;
  readonly onSettled: (reason: RevealReason) => void;
}

/** Milliseconds until a reveal that waits is looked at again, should nobody call before. */
const WAIT = 1_000;
/** So many characters of the recipient stand in the audit log: enough to tell one from another. */
const RECIPIENT_CHARACTERS = 12;

/** Answers or refuses a reveal, once, and deletes it when its time is over, whatever became of it. */
export async function reconcileReveal(
  scope: RevealScope,
  request: Request,
  signal: AbortSignal,
): Promise<{ requeueAfter?: number }> {
  const reveal = scope.find(request);
  if (reveal === undefined) scope.memory.forget(request);
  if (reveal === undefined || reveal.metadata.deletionTimestamp !== undefined) return {};
  const left = scope.ttl - ageOf(scope, reveal);
  if (left <= 0) {
    try {
      await settle(scope, reveal, true, signal);
    } finally {
      // Also where the audit log can't be written to.
      await remove(scope, reveal, signal);
    }
    return {};
  }
  const settled = await settle(scope, reveal, false, signal);
  return { requeueAfter: settled ? left : Math.min(left, WAIT) };
}

/** By the API server's stamp; by our own clock where that is behind, so that it can't keep a reveal alive. */
function ageOf({ memory, clock }: RevealScope, { metadata }: Reveal): number {
  const seen = clock.monotonic() - memory.of(metadata, clock.monotonic()).seenAt;
  const stamped = clock.now() - Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(stamped) ? seen : Math.max(seen, stamped);
}

/** Whether the reveal has its answer now, or can't have one. */
async function settle(scope: RevealScope, reveal: Reveal, late: boolean, signal: AbortSignal): Promise<boolean> {
  if (reveal.settled || reveal.spec === undefined) return true;
  // A person waits for few of these, so that each can be sure.
  const first = decideRequest(late, scope.ttl, late ? { open: true } : await scope.gate.confirm(signal));
  if (first === 'wait') return false;
  const asked: AskedReveal = { ...reveal, spec: reveal.spec };
  const decision =
    first === 'look' ? decideReveal(await factsOf(scope, asked.spec, reveal.metadata.namespace, signal)) : first;
  if (decision.state === 'Permitted') await answer(scope, asked, decision, signal);
  else await refuse(scope, asked, 'Denied', decision, signal);
  return true;
}

interface AskedReveal extends Reveal {
  readonly spec: SecretRevealSpec;
}

async function factsOf(
  scope: RevealScope,
  spec: SecretRevealSpec,
  namespace: string,
  signal: AbortSignal,
): Promise<RevealFacts> {
  const { requestedBy: user, requestedByGroups: groups = [], secret: object } = spec;
  const allowed = await scope.authorizer.mayDo({ user, groups, verb: 'access', namespace, secret: object }, signal);
  const secret = scope.backend.findObject(namespace, object);
  const wanted = allowed && secret !== undefined ? await wantedOf(scope, namespace, object, signal) : undefined;
  return { spec, namespace, allowed, secret, wanted };
}

/** The secret as the API server has it: a cache may be minutes behind, and what was just made write-only, or disabled, is not shown. */
async function wantedOf(
  { client }: RevealScope,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<RevealFacts['wanted']> {
  try {
    const raw = await client.get(versionedSecrets, { namespace, name }, { signal });
    return versionedSecretSpecSchema.parse(raw['spec'] ?? {});
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Noted first, then opened: nobody sees a value without a record of it. */
async function answer(
  scope: RevealScope,
  reveal: AskedReveal,
  { secret, version }: Permit,
  signal: AbortSignal,
): Promise<void> {
  const { spec } = reveal;
  await note(scope, reveal, { version: version.version, result: 'Allowed', reason: spec.reason });
  const sealed = await openFor(scope, spec.recipient, { state: 'Permitted', secret, version }, signal);
  if (typeof sealed !== 'string') {
    await refuse(scope, reveal, 'Failed', sealed, signal);
    return;
  }
  const message = `version ${version.version} of secret ${secret.name}, sealed to the recipient`;
  const status = { state: 'Answered', reason: 'Answered', message, version: version.version, data: sealed } as const;
  await write(scope, reveal, status, signal);
}

async function openFor(
  { backend }: RevealScope,
  recipient: string,
  { secret, version }: Permit,
  signal: AbortSignal,
): Promise<string | Refusal> {
  let value: SecretValue;
  try {
    value = await backend.open(secret, version, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ManagerError)) throw error;
    // What can't be asked names no secret; what is definite says all there is to say.
    const where = error.transient ? `version ${version.version} of secret ${secret.name} can't be had now: ` : '';
    return refused(reasonOf(error), where + error.message);
  }
  try {
    return await sealForRecipient(value, recipient);
  } catch {
    // It had the form of a key. The library's own words are not ours to show.
    return refused(
      'InvalidRecipient',
      'the recipient is not an age key: ask again by keyferry reveal, which makes one',
    );
  }
}

function reasonOf({ reason }: ManagerError): Refusal['reason'] {
  const known = revealReasons.find((name) => name === reason);
  return known === undefined || known === 'Answered' ? 'ManagerUnavailable' : known;
}

async function refuse(
  scope: RevealScope,
  reveal: AskedReveal,
  result: 'Denied' | 'Failed',
  { reason, message }: Refusal,
  signal: AbortSignal,
): Promise<void> {
  await note(scope, reveal, { version: reveal.spec.version, result, reason });
  await write(scope, reveal, { state: 'Refused', reason, message }, signal);
}

/** Each result once, however often the answer has to be written. */
async function note(
  { audit, memory, clock }: RevealScope,
  { metadata, spec }: AskedReveal,
  outcome: Pick<AuditEntry, 'version' | 'result' | 'reason'>,
): Promise<void> {
  const { noted } = memory.of(metadata, clock.monotonic());
  if (noted.has(outcome.result)) return;
  await audit.record({
    action: 'reveal',
    user: spec.requestedBy,
    namespace: metadata.namespace,
    secret: spec.secret,
    for: spec.recipient.slice(0, RECIPIENT_CHARACTERS),
    ...outcome,
  });
  noted.add(outcome.result);
}

/** Pinned to what was decided on: of two answers one is too late. */
async function write(
  { client, onSettled }: RevealScope,
  { metadata }: Reveal,
  status: SecretRevealStatus & { readonly reason: RevealReason },
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = metadata;
  const body = { metadata: { name, namespace, uid, resourceVersion }, status };
  try {
    await client.apply(secretReveals, body, { signal, fieldManager: 'keyferry', force: true, subresource: 'status' });
  } catch (error) {
    // Who asked took it back: there is nobody to tell.
    if (!isNotFound(error)) throw error;
  }
  onSettled(status.reason);
}

async function remove({ client }: RevealScope, { metadata }: Reveal, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = metadata;
  await client.delete(secretReveals, { namespace, name }, { uid, signal });
}

interface Remembered {
  readonly uid: string;
  /** Monotonic milliseconds. */
  readonly seenAt: number;
  /** Results that stand in the audit log. */
  readonly noted: Set<AuditEntry['result']>;
}

/** What is remembered of the reveals that are there. */
export interface RevealMemory {
  of(reveal: Reveal['metadata'], now: number): Remembered;
  forget(request: Request): void;
}

export function createRevealMemory(): RevealMemory {
  const known = new Map<string, Remembered>();
  return {
    of: (metadata, now) => {
      const key = requestKey(metadata);
      const before = known.get(key);
      if (before?.uid === metadata.uid) return before;
      const fresh = { uid: metadata.uid, seenAt: now, noted: new Set<AuditEntry['result']>() };
      known.set(key, fresh);
      return fresh;
    },
    forget: (request) => {
      known.delete(requestKey(request));
    },
  };
}
