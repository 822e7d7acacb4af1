import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { group } from '../../api/v1/names.ts';
import {
  clusterSecretManagers,
  secretManagers,
  secretReferences,
  secretReveals,
  secretVersions,
  versionedSecrets,
} from '../../api/v1/resources.ts';
import { CliError } from '../context.ts';

/** The verbs of ours that can be granted. */
export const verbs = ['put', 'access', 'destroy', 'use'] as const;
export type Verb = (typeof verbs)[number];

/** @throws CliError */
export function toVerb(text: string): Verb {
  const found = verbs.find((verb) => verb === text);
  if (found === undefined) {
    const help = 'put (new versions), access (reveal), destroy (delete), use (a manager, in references)';
    throw new CliError(`"${text}" is no verb of ours. There are: ${help}`, 2);
  }
  return found;
}

export interface GrantRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What a verb is about. */
export interface Things {
  readonly resource: string;
  /** Names of objects; undefined for all of them. */
  readonly names: readonly string[] | undefined;
}

/** `*` is everything. A manager is `NAME` or `SecretManager/NAME`. @throws CliError */
export function thingsOf(verb: Verb, given: readonly string[]): Things {
  if (given.includes('*')) {
    if (given.length > 1) throw new CliError('"*" is everything: name nothing besides', 2);
    return { resource: verb === 'use' ? clusterSecretManagers.plural : versionedSecrets.plural, names: undefined };
  }
  if (verb !== 'use') {
    return { resource: versionedSecrets.plural, names: [...new Set(given.map(secretObjectName))].toSorted() };
  }
  const refs = given.map(managerOf);
  const [resource = clusterSecretManagers.plural, ...others] = new Set(refs.map((ref) => ref.resource));
  if (others.length > 0) throw new CliError('grant cluster managers and namespaced ones by two commands', 2);
  return { resource, names: [...new Set(refs.map(({ name }) => name))].toSorted() };
}

function managerOf(text: string): { readonly resource: string; readonly name: string } {
  const [kind = '', name, ...more] = text.split('/');
  if (name === undefined) return { resource: clusterSecretManagers.plural, name: kind };
  const known = [clusterSecretManagers, secretManagers].find((one) => one.kind === kind);
  if (known === undefined || name === '' || more.length > 0) {
    throw new CliError(`"${text}" is no manager: write default, or SecretManager/NAME for one of the namespace`, 2);
  }
  return { resource: known.plural, name };
}

/** The verb itself, and what it is of no use without. */
export function rulesOf(verb: Verb, { resource, names }: Things): readonly GrantRule[] {
  const own = rule(resource, verb === 'use' ? ['use'] : ['get', verb], names);
  if (verb === 'use') return [own];
  return [own, ...needs[verb](names)];
}

/**
 * Rules with names do not count for what has no name yet (create) nor for lists. The policies, which do look at the name, refuse what the verb itself was not
 * granted for.
 */
const needs = {
  put: () => [rule(versionedSecrets.plural, ['list']), rule(secretVersions.plural, ['create', 'get', 'list', 'watch'])],
  access: () => [rule(secretReveals.plural, ['create', 'get', 'watch'])],
  destroy: (names: readonly string[] | undefined) => [
    // Deleting takes the protection off first, which is a change of the secret.
    rule(versionedSecrets.plural, ['delete', 'patch'], names),
    rule(secretVersions.plural, ['get', 'list', 'patch', 'delete']),
  ],
} as const satisfies Record<Exclude<Verb, 'use'>, (names: readonly string[] | undefined) => readonly GrantRule[]>;

/** What is needed besides the verb, as a question: `who-can` says who lacks it. */
export const companions = {
  put: { verb: 'create', resource: secretVersions.plural },
  access: { verb: 'create', resource: secretReveals.plural },
  destroy: { verb: 'delete', resource: secretVersions.plural },
  use: { verb: 'create', resource: secretReferences.plural },
} as const satisfies Record<Verb, { readonly verb: string; readonly resource: string }>;

function rule(resource: string, allowed: readonly string[], names?: readonly string[]): GrantRule {
  const base = { apiGroups: [group], resources: [resource], verbs: allowed };
  return names === undefined ? base : { ...base, resourceNames: names };
}
