import { versionObjectName } from '../../../api/v1/embedded-name.ts';
import { labels } from '../../../api/v1/names.ts';
import { secretVersions } from '../../../api/v1/resources.ts';
import type { SecretVersionSpec } from '../../../api/v1/secret-version.ts';
import { isAlreadyExists, KubeError } from '../../../kube/errors.ts';
import { findObject } from '../../../kube/find-object.ts';
import { ManagerError } from '../../errors.ts';
import type { SecretValue } from '../../secret-value.ts';
import { seal } from '../sealing/envelope.ts';
import { awaitAcceptance } from './acceptance.ts';
import { nameOf, type SecretObject, toVersion, type VersionObject } from './objects.ts';
import { asking, managerErrorOf } from './refusal.ts';
import type { SealingTarget } from './sealing-target.ts';
import { getSecret } from './secrets.ts';
import { type ClientSession, clientFieldManager, type ClientUser, namedGroups } from './session.ts';
import { checkSize } from './value-size.ts';

/** What a new version is made from: a value, or the value of an earlier version, which only the operator sees. */
export type VersionSource = { readonly value: SecretValue } | { readonly from: number };

export interface PutOutcome {
  /** The new version's number. It is latest now, unless somebody put another meanwhile. */
  readonly version: number;
}

/** So many numbers are tried where others put at the same time. */
const MOST_TRIES = 100;

/**
 * Makes a new version of a secret and waits until the operator has accepted it.
 * @throws ManagerError where it is refused; ManagerUnavailable with what became of it where the operator does not answer
 */
export async function putVersion(
  session: ClientSession,
  secret: SecretObject,
  source: VersionSource,
  signal: AbortSignal,
): Promise<PutOutcome> {
  const target = 'value' in source ? await session.sealingTarget(signal) : undefined;
  if ('value' in source && target !== undefined) checkSize(nameOf(secret), source.value, target);
  const user = await session.user(signal);
  let current = secret;
  let used = 0;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const version = Math.max(current.status.lastVersion ?? 0, used) + 1;
    const spec = await specOf(current, version, source, target, user);
    const stored = await store(session, spec, signal);
    if (stored !== undefined) {
      const outcome = await awaitAcceptance(session, current, stored, signal);
      if (outcome === 'accepted') return { version };
    }
    // Somebody else has the number, or had it once.
    used = version;
    current = await unchanged(session, secret, signal);
  }
  throw new ManagerError(
    'Throttled',
    `${MOST_TRIES} others put versions of secret ${nameOf(secret)} at the same time: try again`,
  );
}

/** The secret as it is now: what is sealed for it is of no use for another of the same name. */
async function unchanged(session: ClientSession, before: SecretObject, signal: AbortSignal): Promise<SecretObject> {
  const now = await getSecret(session, before.metadata.name, signal);
  if (now.metadata.uid === before.metadata.uid) return now;
  const text = `secret ${nameOf(before)} was deleted and created again meanwhile: look at it, then put again`;
  throw new ManagerError('SecretNotFound', text);
}

async function specOf(
  secret: SecretObject,
  version: number,
  source: VersionSource,
  target: SealingTarget | undefined,
  user: ClientUser,
): Promise<SecretVersionSpec> {
  const { metadata, spec } = secret;
  const who = { createdBy: user.name, createdByGroups: [...namedGroups(user)] };
  const base = { secret: metadata.name, version, ...who };
  if ('from' in source) return { ...base, from: { version: source.from } };
  if (target === undefined) throw new TypeError('a value needs a key');
  const portable = spec.sealing === 'Portable';
  const context = {
    cluster: portable ? '' : target.cluster,
    namespace: metadata.namespace,
    secret: metadata.name,
    uid: portable ? '' : metadata.uid,
    version,
    type: spec.type ?? '',
  };
  return { ...base, sealed: [{ key: target.publicKey, data: await seal(source.value, context, target.publicKey) }] };
}

/** Writes the version; undefined where its number is taken. An answer that was lost on its way is made good: it would be put twice. */
async function store(
  session: ClientSession,
  spec: SecretVersionSpec,
  signal: AbortSignal,
): Promise<VersionObject | undefined> {
  const { client, namespace } = session;
  const name = versionObjectName(spec.secret, spec.version);
  const body = { metadata: { name, namespace, labels: { [labels.trim]: 'true' } }, spec };
  try {
    return toVersion(await client.create(secretVersions, body, { fieldManager: clientFieldManager, signal }));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const lost = error.mayHaveTakenEffect;
    if (!lost && !isAlreadyExists(error)) throw managerErrorOf(error);
    const there = await asking(() => findObject(client, secretVersions, { namespace, name }, { signal }));
    const version = there === undefined ? undefined : toVersion(there);
    if (version !== undefined && isSame(version, spec)) return version;
    if (lost && version === undefined) throw managerErrorOf(error);
    return undefined;
  }
}

/** A sealed text is different each time. A rollback says the same each time: one of ours for the same number is as good. */
function isSame({ spec }: VersionObject, ours: SecretVersionSpec): boolean {
  if (spec.createdBy !== ours.createdBy) return false;
  if (ours.from !== undefined) return spec.from?.version === ours.from.version;
  return spec.sealed?.[0]?.data === ours.sealed?.[0]?.data;
}
