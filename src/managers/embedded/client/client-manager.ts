import { conditionOf } from '../../../api/v1/conditions.ts';
import { foldName } from '../../../api/v1/embedded-name.ts';
import { ManagerError } from '../../errors.ts';
import type {
  AccessResult,
  FindQuery,
  SecretManager,
  SecretSummary,
  Selection,
  Selector,
  VersionSummary,
} from '../../manager.ts';
import { nameOf, type SecretObject } from './objects.ts';
import { putVersion } from './put-version.ts';
import { type Revealed, revealVersion } from './reveal-version.ts';
import { checkName, createSecret, findSecret, getSecret, listSecrets } from './secrets.ts';
import type { ClientSession, ClientUser } from './session.ts';
import { checkSize } from './value-size.ts';

/** So many values are asked for at once: an operator answers a few at a time. */
const AT_ONCE = 8;

export interface ClientManagerOptions {
  /** Stands in the audit log with each value that is read. */
  readonly reason: string;
  readonly close?: () => void;
}

/**
 * The embedded secrets of one namespace, seen by a person or a program with rights of its own: putting needs `put`, reading needs `access` and is a reveal,
 * with its audit record. Names are found in any spelling of case.
 */
export function createClientManager(session: ClientSession, options: ClientManagerOptions): SecretManager {
  return {
    capabilities: { stages: true, tags: true, put: true, batchSize: 1 },
    access: (selections, signal) => access(session, selections, options.reason, signal),
    list: (query, signal) => list(session, query, signal),
    describe: async (name, signal) => {
      signal.throwIfAborted();
      return summaryOf(await getSecret(session, name, signal));
    },
    versions: async (name, signal) => versionsOf(await getSecret(session, name, signal)),
    put: async (name, value, signal) => {
      signal.throwIfAborted();
      checkName(name);
      checkSize(name, value, await session.sealingTarget(signal));
      const found = await findSecret(session, name, signal);
      const secret = found ?? (await createSecret(session, { name }, signal)).secret;
      const { version } = await putVersion(session, secret, { value }, signal);
      return String(version);
    },
    identity: async (signal) => (await session.user(signal)).name,
    close: () => options.close?.(),
  };
}

async function access(
  session: ClientSession,
  selections: readonly Selection[],
  reason: string,
  signal: AbortSignal,
): Promise<readonly AccessResult[]> {
  signal.throwIfAborted();
  if (selections.length === 0) return [];
  const user = await session.user(signal);
  const reader = createReader(session, user, reason, signal);
  const results = new Map<Selection, AccessResult>();
  const queue = selections.values();
  const worker = async (): Promise<void> => {
    for (const selection of queue) results.set(selection, await settled(() => reader(selection)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return selections.map((selection) => results.get(selection) ?? leftOut(selection));
}

function leftOut({ secret }: Selection): ManagerError {
  return new ManagerError('ManagerUnavailable', `secret ${secret} was not asked for`);
}

/** A refusal is the answer to one selection; anything else ends the whole call. */
async function settled(read: () => Promise<AccessResult>): Promise<AccessResult> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ManagerError) return error;
    throw error;
  }
}

/** Reads each secret once, so that all that is asked of it is from one moment, and has each version revealed once. */
function createReader(
  session: ClientSession,
  user: ClientUser,
  reason: string,
  signal: AbortSignal,
): (selection: Selection) => Promise<AccessResult> {
  const secrets = new Map<string, Promise<SecretObject>>();
  const revealed = new Map<string, Promise<Revealed>>();
  return async ({ secret: name, selector }) => {
    const secret = await once(secrets, foldName(name), () => getSecret(session, name, signal));
    const version = chosen(secret, selector);
    const ask = (): Promise<Revealed> => revealVersion(session, secret, { version, reason, user }, signal);
    const { value } = await once(revealed, `${version} ${secret.metadata.name}`, ask);
    return { version: String(version), identity: `${version}@${secret.metadata.uid}`, value };
  };
}

function once<T>(kept: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = kept.get(key) ?? make();
  kept.set(key, made);
  return made;
}

/** The number that a selector means now. @throws ManagerError */
export function chosen(secret: SecretObject, selector: Selector): number {
  const problem = problemOf(secret);
  if (problem !== undefined) throw problem;
  const name = nameOf(secret);
  const { latest, previous, versions = [] } = secret.status;
  if (selector.kind === 'version') {
    const known = versions.find(({ version }) => String(version) === selector.version);
    if (known !== undefined) return enabled(secret, known.version);
    throw new ManagerError('VersionNotFound', `secret ${name} has no version ${selector.version}`);
  }
  const number = selector.kind === 'latest' ? latest : staged(selector.stage, latest, previous);
  if (number !== undefined) return enabled(secret, number);
  const what = selector.kind === 'latest' ? 'version that could be latest' : `version with the stage ${selector.stage}`;
  throw new ManagerError('VersionNotFound', `secret ${name} has no ${what}`);
}

/** Why a secret serves nobody. */
function problemOf({ metadata, spec, status }: SecretObject): ManagerError | undefined {
  const ready = conditionOf(status, 'Ready');
  if (ready?.reason === 'NameMismatch') return new ManagerError('SecretNotFound', ready.message);
  if (ready?.reason === 'LimitExceeded') return new ManagerError('LimitExceeded', ready.message);
  if ((status.versions ?? []).length > 0) return undefined;
  return new ManagerError('NoVersion', `secret ${nameOf({ metadata, spec })} has no version yet: put a value`);
}

function staged(stage: string, latest: number | undefined, previous: number | undefined): number | undefined {
  if (stage === 'latest') return latest;
  return stage === 'previous' ? previous : undefined;
}

function enabled(secret: SecretObject, number: number): number {
  const stored = secret.status.versions?.find(({ version }) => version === number);
  if (stored?.state !== 'Disabled') return number;
  throw new ManagerError('VersionDisabled', `version ${number} of secret ${nameOf(secret)} is disabled`);
}

async function list(
  session: ClientSession,
  { prefix, tags }: FindQuery,
  signal: AbortSignal,
): Promise<readonly SecretSummary[]> {
  signal.throwIfAborted();
  const start = foldName(prefix);
  const found = await listSecrets(session, session.namespace, signal);
  return found
    .map(summaryOf)
    .filter((secret) => foldName(secret.secret).startsWith(start))
    .filter((secret) => Array.from(tags).every(([key, value]) => secret.tags.get(key) === value));
}

function summaryOf(secret: SecretObject): SecretSummary {
  return { secret: nameOf(secret), tags: new Map(Object.entries(secret.metadata.labels)) };
}

function versionsOf({ status }: SecretObject): readonly VersionSummary[] {
  const { latest, previous, versions = [] } = status;
  const stagesOf = (version: number): readonly string[] => [
    ...(version === latest ? ['latest'] : []),
    ...(version === previous ? ['previous'] : []),
  ];
  return versions
    .filter(({ state }) => state === 'Enabled')
    .map(({ version, createdAt }) => ({
      version: String(version),
      stages: stagesOf(version),
      createdAt: new Date(createdAt),
    }));
}
