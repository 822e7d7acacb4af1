import { embeddedNameMistake } from '../../api/v1/embedded-name.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import { ManagerError } from '../errors.ts';
import type { AccessResult, FindQuery, SecretManager, SecretSummary, Selection, VersionSummary } from '../manager.ts';
import { matchesQuery } from '../source/topics.ts';
import type { EmbeddedBackend, EmbeddedSecret } from './backend.ts';
import { eachLimited } from './each-limited.ts';
import { fullEmbeddedName, missingSecret, parseEmbeddedName } from './names.ts';
import { createOpenedValues, type OpenedValues } from './opened-values.ts';
import { choose, noVersionYet } from './choose.ts';

/** Versions that are read from the API server at once for one call. */
const OPENED_AT_ONCE = 8;

/** Secrets kept in the cluster, by full names: `<namespace>/<name>` in any spelling of case. It only reads: people put. */
export function createEmbeddedManager(backend: EmbeddedBackend): SecretManager {
  const opened = createOpenedValues(backend);
  return {
    capabilities: { stages: true, tags: true, put: false, batchSize: 100 },
    access: (selections, signal) => access(backend, opened, selections, signal),
    list: async (query, signal) => {
      signal.throwIfAborted();
      return list(backend, query);
    },
    describe: async (secret, signal) => {
      signal.throwIfAborted();
      return summaryOf(find(backend, secret));
    },
    versions: async (secret, signal) => {
      signal.throwIfAborted();
      return versionsOf(find(backend, secret));
    },
    put: async (_secret, _value, signal) => {
      signal.throwIfAborted();
      const text = 'the operator puts no values: put them by keyferry put, which seals them first';
      throw new ManagerError('AccessDenied', text);
    },
    identity: async (signal) => {
      signal.throwIfAborted();
      return identityOf(backend);
    },
    close: () => opened.clear(),
  };
}

/** One selection, and the version that it leads to or why there is none. */
interface Chosen {
  readonly selection: Selection;
  readonly secret: EmbeddedSecret | undefined;
  readonly version: StoredVersion | ManagerError;
}

async function access(
  backend: EmbeddedBackend,
  opened: OpenedValues,
  selections: readonly Selection[],
  signal: AbortSignal,
): Promise<readonly AccessResult[]> {
  signal.throwIfAborted();
  // All at once and before anything is waited for: the caches are the one moment that every answer is from.
  const found = new Map<string, EmbeddedSecret | ManagerError>();
  const chosen = selections.map((selection): Chosen => {
    const known = found.get(selection.secret) ?? findOrError(backend, selection.secret);
    found.set(selection.secret, known);
    if (known instanceof ManagerError) return { selection, secret: undefined, version: known };
    return { selection, secret: known, version: choose(known, selection.selector) };
  });
  return eachLimited(chosen, OPENED_AT_ONCE, async ({ selection, secret, version }): Promise<AccessResult> => {
    if (version instanceof ManagerError || secret === undefined) return toError(version);
    const value = await opened.open(secret, version, signal);
    if (value instanceof ManagerError) return withoutDoubt(value, selection);
    return { version: String(version.version), identity: identityOfVersion(version), value };
  });
}

function toError(version: StoredVersion | ManagerError): ManagerError {
  if (version instanceof ManagerError) return version;
  return new ManagerError('ManagerUnavailable', 'a secret went while it was read');
}

/** That latest is gone is not the end of it: the operator has yet to say which version is latest now. */
function withoutDoubt(error: ManagerError, { selector }: Selection): ManagerError {
  if (error.reason !== 'VersionNotFound' || selector.kind === 'version') return error;
  const text = 'a version was deleted a moment ago, and which one comes after it is being looked at';
  return new ManagerError('ManagerUnavailable', text, { ofOneSecret: true });
}

/** Ids of versions never come back in a secret, and the uid tells it from an earlier secret of the same name. */
function identityOfVersion({ version, uid }: StoredVersion): string {
  return `${version}@${uid.slice(0, 8)}`;
}

function findOrError(backend: EmbeddedBackend, full: string): EmbeddedSecret | ManagerError {
  try {
    return find(backend, full);
  } catch (error) {
    if (error instanceof ManagerError) return error;
    throw error;
  }
}

/** @throws ManagerError where there is no such secret, or it serves nobody. */
function find(backend: EmbeddedBackend, full: string): EmbeddedSecret {
  const { namespace, name } = parseEmbeddedName(full) ?? { namespace: '', name: '' };
  // Only a name that a secret can have is looked for: of any other, folding could make one.
  const secret = embeddedNameMistake(name) === undefined ? backend.find(namespace, name) : undefined;
  if (secret === undefined) throw new ManagerError('SecretNotFound', missingSecret(namespace, name));
  const refused = refusal(secret);
  if (refused !== undefined) throw refused;
  return secret;
}

/** Why a secret serves nobody. Too many secrets only keep one from taking more: what it has already it keeps. */
function refusal({ problem, latest }: EmbeddedSecret): ManagerError | undefined {
  if (problem?.reason === 'NameMismatch') return new ManagerError('SecretNotFound', problem.message);
  return problem === undefined || latest !== undefined ? undefined : new ManagerError('LimitExceeded', problem.message);
}

function list(backend: EmbeddedBackend, query: FindQuery): readonly SecretSummary[] {
  const parsed = parseEmbeddedName(query.prefix);
  if (parsed === undefined) {
    throw new ManagerError('InvalidValue', 'secrets kept in the cluster are listed by namespace: NAMESPACE/PREFIX');
  }
  const folded = { ...query, prefix: fullEmbeddedName(parsed.namespace, parsed.name) };
  return backend
    .list(parsed.namespace)
    .filter((secret) => refusal(secret) === undefined)
    .map(summaryOf)
    .filter((summary) => matchesQuery(folded, summary));
}

function summaryOf({ namespace, name, labels }: EmbeddedSecret): SecretSummary {
  return { secret: fullEmbeddedName(namespace, name), name, tags: new Map(Object.entries(labels)) };
}

function versionsOf(secret: EmbeddedSecret): readonly VersionSummary[] {
  if (secret.latest === undefined) throw noVersionYet(secret);
  return secret.versions
    .filter(({ state }) => state === 'Enabled')
    .toSorted((a, b) => b.version - a.version)
    .map(({ version, createdAt }) => ({
      version: String(version),
      stages: version === secret.latest ? ['latest'] : version === secret.previous ? ['previous'] : [],
      createdAt: new Date(createdAt),
    }));
}

function identityOf(backend: EmbeddedBackend): string {
  const current = backend.publicKey();
  if (current === undefined) throw new ManagerError('ManagerUnavailable', 'the sealing keys are not read yet');
  if ('problem' in current) throw new ManagerError('ManagerUnavailable', current.problem);
  return `secrets kept in this cluster, sealed to ${current.key}`;
}
