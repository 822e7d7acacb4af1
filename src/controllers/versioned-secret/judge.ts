import { secretVersions } from '../../api/v1/resources.ts';
import type { VersionReason } from '../../api/v1/secret-version.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { RawObject } from '../../kube/object.ts';
import { openSealed, seal } from '../../managers/embedded/sealing/envelope.ts';
import { SealError } from '../../managers/embedded/sealing/seal-error.ts';
import type { KeyRing } from '../../managers/embedded/sealing/sealing-key.ts';
import { checkValue } from '../../managers/embedded/types/check-value.ts';
import type { SecretValue } from '../../managers/secret-value.ts';
import { safeMessage } from '../../runtime/errors.ts';
import type { Authorizer } from '../embedded/authorizer.ts';
import type { PolicyGate } from '../embedded/gate.ts';
import type { ObjectView } from '../object-view.ts';
import { inRanges, type NumberRange } from './number-ranges.ts';
import { placeOf } from './place.ts';
import type { SecretTypeObject } from './secret-type.ts';
import { digestOf, type SecretVersion, sealedIn, toSecretVersion } from './secret-version.ts';
import { type VersionedSecret, writtenName } from './versioned-secret.ts';

/** What becomes of a version that was not there before. */
export type Verdict =
  | { readonly state: 'Accepted'; readonly stored: StoredVersion }
  | { readonly state: 'Pending' | 'Rejected'; readonly reason: VersionReason; readonly message: string };

export interface JudgeScope {
  readonly client: KubeClient;
  readonly gate: Pick<PolicyGate, 'confirm'>;
  readonly authorizer: Authorizer;
  readonly ring: () => KeyRing | undefined;
  readonly type: (name: string) => SecretTypeObject | undefined;
  readonly clusterUid: () => string;
  /** What the API server answered to a write of ours that the caches do not know yet. */
  readonly versionView: ObjectView<SecretVersion>;
}

/** What the verdict depends on besides the version itself. */
export interface Case {
  readonly secret: VersionedSecret;
  readonly version: SecretVersion;
  /** Accepted so far. */
  readonly accepted: readonly StoredVersion[];
  readonly gone: readonly NumberRange[];
  readonly lastVersion: number;
  readonly maxValueBytes: number;
  /** Why the secret takes no value at all; undefined where it does. */
  readonly full: string | undefined;
}

/** For good only of what can be put again: a key may come back from its backup. */
export const FOREIGN_KEY =
  'it is sealed to no key of this cluster: seal it to the publicKey in the status of the manager';

/** How far a number may be ahead: one that is used up can't be given back, so nobody may use them up at once. */
const MAX_GAP = 10_000;
/** A history from git begins where it was trimmed to. It must leave as many numbers as anybody needs. */
const MAX_FIRST = 1_000_000;

/** Judges one version. Rejects where the API server can't be asked: then nothing is decided. */
export async function judge(scope: JudgeScope, given: Case, signal: AbortSignal): Promise<Verdict> {
  const early = judgeNumber(given) ?? (await judgeGate(scope, given, signal));
  if (early !== undefined) return early;
  const ring = scope.ring();
  if (ring?.current === undefined) {
    return pending('SealingKeyMissing', ring?.problem ?? 'the sealing keys are not read yet');
  }
  const denied = await judgeWriter(scope, given, signal);
  if (denied !== undefined) return denied;
  try {
    return await judgeValue(scope, given, ring, signal);
  } catch (error) {
    if (error instanceof SealError) return rejected(error.reason, error.message);
    throw error;
  }
}

function judgeNumber({ secret, version, accepted, gone, lastVersion }: Case): Verdict | undefined {
  const { version: number } = version.spec;
  const used = inRanges(gone, number) || accepted.some((other) => other.version === number);
  if (used) {
    return rejected(
      'VersionReused',
      `version ${number} of ${title(secret)} was used before, and a number never comes back: put a new version`,
    );
  }
  if (number <= (lastVersion === 0 ? MAX_FIRST : lastVersion + MAX_GAP)) return undefined;
  const why =
    lastVersion === 0
      ? `is above ${MAX_FIRST}, which is the most for the first one: begin with 1`
      : `is more than ${MAX_GAP} above the last one, ${lastVersion}: use the next number`;
  return rejected('NumberTooHigh', `version ${number} ${why}`);
}

async function judgeGate(
  { gate, type }: JudgeScope,
  { secret, full }: Case,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  if (full !== undefined) return rejected('LimitExceeded', full);
  const state = await gate.confirm(signal);
  if (!state.open) {
    // For good: who put it is not known when the policies are back either.
    if (state.unguarded === true) return rejected('PolicyMissing', `${state.message}. Then put it again`);
    return pending('PolicyMissing', state.message);
  }
  const wanted = secret.spec.type;
  if (wanted !== undefined && type(wanted) === undefined) {
    return pending('TypeMissing', `there is no SecretType ${wanted}: create it, or give ${title(secret)} another type`);
  }
  return undefined;
}

async function judgeWriter(scope: JudgeScope, given: Case, signal: AbortSignal): Promise<Verdict | undefined> {
  const { createdBy: user, createdByGroups: groups = [] } = given.version.spec;
  // A service account that leaves its name out was let in by the policy, which the gate saw in force.
  if (user === undefined) return undefined;
  const { namespace, name } = given.secret.metadata;
  const allowed = await scope.authorizer.mayDo({ user, groups, verb: 'put', namespace, secret: name }, signal);
  if (allowed) return undefined;
  const command = `keyferry grant put "${writtenName(given.secret)}" --to ${user} -n ${namespace}`;
  return rejected('NotAllowed', `${user} may not put ${title(given.secret)}. Ask for: ${command}`);
}

async function judgeValue(scope: JudgeScope, given: Case, ring: KeyRing, signal: AbortSignal): Promise<Verdict> {
  const { version } = given;
  const found =
    version.spec.from === undefined
      ? await openOwn(scope, given, ring, signal)
      : await repeat(scope, given, ring, signal);
  if ('state' in found) return found;
  const { value, type, key, digest } = found;
  // What is repeated met its type when it was put. To judge it by another would tell something of a value that nobody may see.
  const mistake = version.spec.from === undefined ? mistakeIn(scope, value, type, given.maxValueBytes) : undefined;
  if (mistake !== undefined) return mistake;
  return { state: 'Accepted', stored: toStored(version, type, key, digest) };
}

function mistakeIn(
  scope: JudgeScope,
  value: SecretValue,
  type: string | undefined,
  maxValueBytes: number,
): Verdict | undefined {
  if (value.size === 0) return rejected('InvalidValue', 'the value is empty: put one of at least one byte');
  if (value.size > maxValueBytes) {
    return rejected('LimitExceeded', `the value has too many bytes: at most ${maxValueBytes} are taken`);
  }
  const schema = type === undefined ? undefined : scope.type(type)?.spec.schema;
  const mistake = schema === undefined ? undefined : checkValue(value, schema);
  if (mistake === undefined) return undefined;
  return rejected('InvalidValue', `it does not fit the type ${type}: ${mistake.message} (rule ${mistake.rule})`);
}

interface OpenValue {
  readonly value: SecretValue;
  /** The SecretType that it was sealed for. */
  readonly type: string | undefined;
  readonly key: string;
  readonly digest: string;
}

/** The value that was sealed to one of our keys: to the one in use before any other. */
async function openOwn(
  scope: JudgeScope,
  { secret, version, maxValueBytes }: Case,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<OpenValue | Verdict> {
  const keys = [ring.current?.publicKey ?? '', ...ring.publicKeys].filter((key) => version.digests.has(key));
  const key = keys.map((name) => ring.find(name)).find((found) => found !== undefined);
  if (key === undefined) {
    // It may be sealed to the key that can't be read: refused, it would be gone.
    if (ring.unreadable !== undefined) return pending('SealingKeyMissing', ring.unreadable);
    return rejected('InvalidSeal', FOREIGN_KEY);
  }
  const data = sealedIn(await read(scope, version, signal), key.publicKey) ?? '';
  const { type } = secret.spec;
  const place = placeOf(secret, version.spec.version, type, scope.clusterUid());
  const value = await openSealed(data, key, place, maxValueBytes);
  return { value, type, key: key.publicKey, digest: digestOf(data) };
}

/** The value of an earlier version, sealed for this one: so it outlives the one that it repeats. */
async function repeat(
  scope: JudgeScope,
  given: Case,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<OpenValue | Verdict> {
  const { secret, version, accepted } = given;
  const number = version.spec.from?.version ?? 0;
  const source = accepted.find((other) => other.version === number);
  if (source === undefined || source.state === 'Disabled') {
    const why = source === undefined ? 'is not there' : 'is disabled';
    return rejected('SourceMissing', `version ${number} of ${title(secret)} ${why}: roll back to another`);
  }
  if (ring.find(source.key) === undefined && ring.unreadable !== undefined) {
    return pending('SealingKeyMissing', ring.unreadable);
  }
  const value = await openSource(scope, given, source, ring, signal);
  if ('state' in value) return value;
  // What the writer may have sealed beside it is not looked at: to compare the two would tell a putter what it may not read.
  const key = ring.current?.publicKey ?? '';
  const { type } = source;
  const data = await seal(value, placeOf(secret, version.spec.version, type, scope.clusterUid()), key);
  const { namespace, name, uid, resourceVersion } = version.metadata;
  const body = { metadata: { name, namespace, uid, resourceVersion }, spec: { sealed: [{ key, data }] } };
  const written = await scope.client.mergePatch(secretVersions, body, { signal, fieldManager: 'keyferry' });
  scope.versionView.wrote(toSecretVersion(written));
  return { value, type, key, digest: digestOf(data) };
}

/** One that can't be opened is not the new version's mistake: its own words would say so. */
async function openSource(
  scope: JudgeScope,
  { secret }: Case,
  source: StoredVersion,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<SecretValue | Verdict> {
  try {
    return await openStored(scope, secret, source, ring, ANY_SIZE, signal);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    return rejected(
      'SourceMissing',
      `version ${source.version} of ${title(secret)} can not be opened: ${error.message}`,
    );
  }
}

/** Larger than any limit: what was accepted once stays readable when a limit is lowered. */
export const ANY_SIZE = 1_048_576;

/** Opens an accepted version. @throws SealError */
export async function openStored(
  scope: Pick<JudgeScope, 'client' | 'clusterUid'>,
  secret: VersionedSecret,
  stored: StoredVersion,
  ring: KeyRing,
  maxValueBytes: number,
  signal: AbortSignal,
): Promise<SecretValue> {
  const name = `${secret.metadata.name}-${stored.version}`;
  const { namespace } = secret.metadata;
  const raw = await scope.client.get(secretVersions, { namespace, name }, { signal });
  const data = sealedIn(raw, stored.key) ?? '';
  const key = ring.find(stored.key);
  if (key === undefined) {
    const fix = ring.unreadable ?? 'restore the sealing keys from their backup';
    throw new SealError('InvalidSeal', `the key ${stored.key} that it is sealed to is gone: ${fix}`);
  }
  if (raw.metadata.uid !== stored.uid || digestOf(data) !== stored.digest) {
    throw new SealError('InvalidSeal', 'it is not what was accepted: it was altered behind the API server');
  }
  return openSealed(data, key, placeOf(secret, stored.version, stored.type, scope.clusterUid()), maxValueBytes);
}

async function read({ client }: JudgeScope, { metadata }: SecretVersion, signal: AbortSignal): Promise<RawObject> {
  const { namespace, name, uid } = metadata;
  const raw = await client.get(secretVersions, { namespace, name }, { signal });
  // Deleted and made again since the cache saw it: this is about the other one.
  if (raw.metadata.uid !== uid) throw new ReplacedError();
  return raw;
}

/** Tried again once the cache knows the object that is there now. */
class ReplacedError extends Error {
  override readonly name = 'ReplacedError';
  readonly [safeMessage] = true;
  override readonly message = 'the version was replaced while it was looked at';
}

function toStored(
  { metadata, spec }: SecretVersion,
  type: string | undefined,
  key: string,
  digest: string,
): StoredVersion {
  return {
    version: spec.version,
    state: 'Enabled',
    uid: metadata.uid,
    key,
    digest,
    ...(type !== undefined && { type }),
    ...(spec.createdBy !== undefined && { createdBy: spec.createdBy }),
    createdAt: metadata.creationTimestamp ?? '',
    ...(spec.from !== undefined && { from: spec.from.version }),
  };
}

function title(secret: VersionedSecret): string {
  return `secret ${writtenName(secret)}`;
}

function pending(reason: VersionReason, message: string): Verdict {
  return { state: 'Pending', reason, message };
}

function rejected(reason: VersionReason, message: string): Verdict {
  return { state: 'Rejected', reason, message };
}
