import type { History, ObjectVersion, Violation } from '../history.ts';
import { type Holding, holdings, nameOf, recipesOf } from './reading.ts';

/** S2: nothing but a clear word removes or blanks a key, or deletes a Secret. */
export function doubtDestroysNothing(history: History): readonly Violation[] {
  return [...lostKeys(history), ...lostSecrets(history), ...deletions(history)];
}

function lostKeys(history: History): readonly Violation[] {
  const before = new Map<string, Holding>();
  return holdings(history).flatMap((holding) => {
    const id = `${holding.secret.uid} ${holding.reference}`;
    const previous = before.get(id);
    before.set(id, holding);
    if (previous === undefined) return [];
    const gone = Object.keys(previous.data).filter(
      (key) => (holding.data[key] ?? '') === '' && previous.data[key] !== '',
    );
    return gone
      .filter((key) => !mayGo(history, holding, key))
      .map((key): Violation => ({ law: 'S2', what: `${nameOf(holding.secret)} lost key ${key}` }));
  });
}

/** No recipe asks for it any more, or its secret is known to be gone. */
function mayGo(history: History, { secret, reference }: Holding, key: string): boolean {
  if (history.acts.some(({ kind, name, at }) => kind === 'edit-secret' && name === secret.name && at <= secret.at))
    return true;
  const recipe = recipesOf(history, reference).at(-1);
  const wanted = recipe?.keys.find((each) => each.key === key);
  if (wanted === undefined) return true;
  return (
    wanted.optional && history.backend.some(({ kind, secret: name }) => kind === 'delete' && name === wanted.secret)
  );
}

/** A Secret goes with its reference, by a person's hand, or because access was revoked and the manager says so. */
function lostSecrets(history: History): readonly Violation[] {
  const gone = history.objects.filter(({ kind, type }) => kind === 'Secret' && type === 'DELETED');
  return gone
    .filter((secret) => !permitted(history, secret))
    .map((secret) => ({ law: 'S2', what: `${nameOf(secret)} was deleted` }));
}

function permitted(history: History, secret: ObjectVersion): boolean {
  const owners = new Set([secret.name, ...secret.owners.map(({ name }) => name)]);
  return history.acts.some(({ kind, name, at }) => {
    if (at > secret.at) return false;
    if (kind === 'delete-secret') return name === secret.name;
    return (kind === 'delete-reference' || kind === 'revoke-and-delete') && owners.has(name);
  });
}

/** The operator itself deletes only what was revoked. */
function deletions(history: History): readonly Violation[] {
  const asked = history.requests.filter(
    ({ verb, resource, dryRun }) => verb === 'delete' && resource === 'secrets' && !dryRun,
  );
  return asked
    .filter(
      ({ name, at }) =>
        !history.acts.some((act) => act.kind === 'revoke-and-delete' && act.name === name && act.at <= at),
    )
    .map(({ name }): Violation => ({ law: 'S2', what: `the operator wanted Secret ${name} to be deleted` }));
}
