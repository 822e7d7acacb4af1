import type { SecretObject } from '../managers/embedded/client/objects.ts';
import { nameOf } from '../managers/embedded/client/objects.ts';
import { findSecret, listSecrets } from '../managers/embedded/client/secrets.ts';
import type { ClientSession } from '../managers/embedded/client/session.ts';
import { ManagerError } from '../managers/errors.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { CliError } from './context.ts';

/** A secret that has to be there. @throws CliError, with the name that was probably meant */
export async function knownSecret(session: ClientSession, name: string, signal: AbortSignal): Promise<SecretObject> {
  const found = await findSecret(session, name, signal);
  if (found !== undefined) return found;
  throw new CliError(`${await missing(session, name, signal)} keyferry list shows those that are there`);
}

/** That there is no such secret, and which one was probably meant. */
export async function missing(session: ClientSession, name: string, signal: AbortSignal): Promise<string> {
  const near = nearestName(name, await names(session, signal));
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  return `there is no secret ${name} in namespace ${session.namespace}.${meant}`;
}

/** Who may not list gets no suggestion. */
async function names(session: ClientSession, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return (await listSecrets(session, session.namespace, signal)).map(nameOf);
  } catch (error) {
    if (error instanceof ManagerError) return [];
    throw error;
  }
}
