import type { Consumer } from '../../api/v1/rollout.ts';
import { UNKNOWN_CONTENT } from './ledger.ts';

/** More rollouts than these one above the other do not help to find out what a pod runs. */
const MOST_REPLACED = 3;

export interface HeldNow {
  /** The content that the Secret holds; undefined while it has none. */
  readonly content: string | undefined;
  /** Its versions, in short. */
  readonly summary: string;
}

/**
 * Which versions the pods of a consumer run: those that its template is made for, and, until its rollout is complete, those that were run before it
 * began. A rollout upon another that was not complete adds to them: each may have left pods.
 */
export function versionsRun(
  { content, state }: Pick<Consumer, 'content' | 'state'>,
  before: Consumer | undefined,
  held: HeldNow,
): Pick<Consumer, 'versions' | 'replaces'> {
  if (content === undefined) return {};
  const versions = content === held.content ? held.summary : before?.content === content ? before.versions : undefined;
  const replaces = isSettled(state) ? [] : replaced(content, before).filter((each) => each !== versions);
  return {
    ...(versions === undefined ? {} : { versions }),
    ...(replaces.length === 0 ? {} : { replaces: replaces.slice(0, MOST_REPLACED) }),
  };
}

/** All pods run the same. */
function isSettled(state: Consumer['state']): boolean {
  return state === 'Complete' || state === 'LeftAlone';
}

function replaced(content: string, before: Consumer | undefined): readonly string[] {
  if (before?.content === undefined) return [];
  const { replaces = [] } = before;
  if (before.content === content) return replaces;
  return [...new Set([...replaces, before.versions ?? UNKNOWN_CONTENT])];
}
