import { ManagerError } from '../errors.ts';
import type { FindQuery, SecretSummary } from '../manager.ts';
import type { FindTopic } from './topics.ts';
import { matchesQuery } from './topics.ts';

/** The answer to a find topic and what it rests on. */
export interface Found {
  /** In order of their names. */
  readonly secrets: readonly SecretSummary[];
  readonly names: ReadonlySet<string>;
  /** Names that only some target holds, neither listed nor known to be gone: they stay for who holds them. */
  readonly doubtful: ReadonlySet<string>;
  /** Names that were looked at directly and are gone. */
  readonly gone: ReadonlySet<string>;
}

/** What a direct look says of a secret that is no more, or that its owner has marked for deletion. */
const GONE: ReadonlySet<string> = new Set(['SecretNotFound', 'VersionDisabled']);

/** The two calls that finding needs. */
export interface Finder {
  list(query: FindQuery): Promise<readonly SecretSummary[]>;
  describe(secret: string): Promise<SecretSummary>;
}

/**
 * Finds the secrets of a query. Lists lag, so a name that was there (in `previous` or `known`) and is not listed is looked at directly: it
 * leaves only where it does not exist or no longer matches.
 * @throws ManagerError where the list was refused or a look could not be made.
 */
export async function find(
  finder: Finder,
  query: FindQuery,
  previous: Found | undefined,
  known: ReadonlySet<string>,
): Promise<Found> {
  const listed = await finder.list(query);
  const secrets = new Map(listed.filter((each) => matchesQuery(query, each)).map((each) => [each.secret, each]));
  const before = new Map(previous?.secrets.map((each) => [each.secret, each]));
  const doubtful = new Set<string>();
  const gone = new Set<string>();
  for (const name of unlisted([...before.keys(), ...known], secrets)) {
    const seen = name.startsWith(query.prefix) ? await look(finder, query, name) : 'gone';
    const kept = seen === 'doubtful' ? before.get(name) : seen;
    if (kept === undefined) {
      doubtful.add(name);
    } else if (kept === 'gone') {
      gone.add(name);
    } else {
      secrets.set(name, kept);
    }
  }
  const sorted = [...secrets.values()].toSorted((one, other) => (one.secret < other.secret ? -1 : 1));
  return { secrets: sorted, names: new Set(secrets.keys()), doubtful, gone };
}

function unlisted(names: readonly string[], listed: ReadonlyMap<string, SecretSummary>): ReadonlySet<string> {
  return new Set(names.filter((name) => !listed.has(name)));
}

async function look(finder: Finder, query: FindQuery, name: string): Promise<SecretSummary | 'doubtful' | 'gone'> {
  try {
    const summary = await finder.describe(name);
    return matchesQuery(query, summary) ? summary : 'gone';
  } catch (error) {
    if (!(error instanceof ManagerError) || error.transient) {
      throw error;
    }
    return GONE.has(error.reason) ? 'gone' : 'doubtful';
  }
}

/** Whether every name that the subscriber's target holds was listed or looked at. */
export function isLookedAt(found: Found, topic: FindTopic): boolean {
  return topic.known.every((name) => found.names.has(name) || found.doubtful.has(name) || found.gone.has(name));
}

/** What one subscriber sees of an answer; undefined while one of its names was not looked at. */
export function findView(found: Found, topic: FindTopic): readonly SecretSummary[] | undefined {
  if (!isLookedAt(found, topic)) {
    return undefined;
  }
  const kept = topic.known.filter((name) => found.doubtful.has(name));
  return kept.length === 0
    ? found.secrets
    : [...found.secrets, ...kept.map((secret) => ({ secret, tags: topic.query.tags }))];
}
