import { versionNumberOf } from '../../api/v1/embedded-name.ts';
import type { StoredVersion } from '../../api/v1/versioned-secret.ts';
import { ManagerError } from '../errors.ts';
import type { Selector } from '../manager.ts';
import type { EmbeddedSecret } from './backend.ts';

/** A message names at most so many. */
const MOST_NAMED = 10;

/** The accepted version that is meant, or why nobody gets one. */
export function choose(secret: EmbeddedSecret, selector: Selector): StoredVersion | ManagerError {
  if (selector.kind === 'version') return pinned(secret, selector.version);
  if (secret.latest === undefined) return noVersionYet(secret);
  if (selector.kind === 'latest') return numbered(secret, secret.latest);
  if (selector.stage === 'latest') return numbered(secret, secret.latest);
  if (selector.stage !== 'previous') {
    return notFound(secret, `no stage ${quoted(selector.stage)}: there are latest and previous`);
  }
  if (secret.previous === undefined) {
    return notFound(
      secret,
      `no version before latest, which is ${secret.latest}: there is nothing with stage previous`,
    );
  }
  return numbered(secret, secret.previous);
}

/** Nobody put anything yet: says how. */
export function noVersionYet({ name, namespace }: EmbeddedSecret): ManagerError {
  const command = `keyferry put ${JSON.stringify(name)} -n ${namespace}`;
  return new ManagerError('NoVersion', `it has no version yet. To put one: ${command}`);
}

function pinned(secret: EmbeddedSecret, id: string): StoredVersion | ManagerError {
  const number = versionNumberOf(id);
  if (number !== undefined) return numbered(secret, number);
  return notFound(secret, `no version ${quoted(id)}: versions are numbers. ${present(secret)}`);
}

function numbered(secret: EmbeddedSecret, number: number): StoredVersion | ManagerError {
  const found = secret.versions.find(({ version }) => version === number);
  if (found === undefined) return notFound(secret, `no version ${number}. ${present(secret)}`);
  if (found.state === 'Enabled') return found;
  const command = `keyferry enable ${JSON.stringify(secret.name)} ${number} -n ${secret.namespace}`;
  const text = `version ${number} is disabled: nobody gets it. Name another version, or enable it: ${command}`;
  return new ManagerError('VersionDisabled', text);
}

function notFound({ namespace }: EmbeddedSecret, text: string): ManagerError {
  return new ManagerError('VersionNotFound', `in namespace ${namespace} it has ${text}`);
}

function present({ versions }: EmbeddedSecret): string {
  const numbers = versions.map(({ version }) => version).toSorted((a, b) => b - a);
  if (numbers.length === 0) return 'It has none yet';
  const more = numbers.length > MOST_NAMED ? ` and ${numbers.length - MOST_NAMED} more` : '';
  return `There are ${numbers.slice(0, MOST_NAMED).join(', ')}${more}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
