import { inspect } from 'node:util';
import { SecretValue } from '../../../managers/secret-value.ts';
import { ContentError } from './content-error.ts';

/** A secret value that no error may repeat, nor any eight characters of it. */
export const CANARY = 'zQ7canaryKx91wMvP4';

export function text(value: string): SecretValue {
  return SecretValue.fromString(value);
}

/** The ContentError that `act` throws, where it throws. Other errors pass. */
export function refusalOrNothing(act: () => unknown): ContentError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ContentError) return error;
    throw error;
  }
}

/** The ContentError that `act` must throw. */
export function refusal(act: () => unknown): ContentError {
  const error = refusalOrNothing(act);
  if (error === undefined) throw new Error('nothing was thrown');
  return error;
}

/** Everything that can be read off an error, hidden properties and causes included. */
export function everythingIn(error: ContentError): string {
  return [
    error.message,
    error.stack,
    String(error),
    String(error.cause),
    JSON.stringify(error),
    inspect(error, { depth: Infinity, showHidden: true }),
  ].join('\n');
}

/** True where a part of the canary stands in what the error tells. */
export function leaks(error: ContentError): boolean {
  const told = everythingIn(error);
  const starts = Array.from({ length: CANARY.length - 7 }, (_, start) => start);
  return starts.some((start) => told.includes(CANARY.slice(start, start + 8)));
}
