import type { Selector } from '../../managers/manager.ts';

/** A secret's name as its manager knows it. ARNs are whole already. */
export function fullName(prefix: string, secret: string): string {
  return secret.startsWith('arn:') ? secret : `${prefix}${secret}`;
}

/** The inverse, for names that a listing gave. */
export function shortName(prefix: string, secret: string): string {
  return secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
}

export function selectorOf(entry: {
  readonly version?: string | undefined;
  readonly stage?: string | undefined;
}): Selector {
  if (entry.version !== undefined) return { kind: 'version', version: entry.version };
  if (entry.stage !== undefined) return { kind: 'stage', stage: entry.stage };
  return { kind: 'latest' };
}

/** How a status names what was asked for: `latest`, `stage AWSPREVIOUS`, `version 3`. */
export function selectorText(selector: Selector): string {
  if (selector.kind === 'version') return `version ${selector.version}`;
  if (selector.kind === 'stage') return `stage ${selector.stage}`;
  return 'latest';
}
