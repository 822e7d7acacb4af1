import type { Selector } from '../../managers/manager.ts';

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
