import { UNKNOWN_CONTENT } from '../rollout/ledger.ts';
import type { DesiredTarget } from './desired-target.ts';
import { contentNames, type ExistingSecret, ownerUid } from './target-secret.ts';

/** What a target says that it holds of a reference. */
export interface NamedContent {
  readonly content: string;
  /** Empty at the first content, `unknown` where others had written other bytes. */
  readonly previous: string;
}

/** Undefined where the Secret holds nothing of this reference yet. A change of ownership takes the content along. */
export function contentOf(
  desired: Pick<DesiredTarget, 'reference' | 'contentNames'>,
  existing: ExistingSecret,
): NamedContent | undefined {
  const { uid } = desired.reference;
  const whole = ownerUid(existing) === uid ? [contentNames(undefined)] : [];
  for (const names of [desired.contentNames, contentNames(uid), ...whole]) {
    const content = existing.metadata.annotations[names.content];
    if (content !== undefined) return { content, previous: existing.metadata.annotations[names.previous] ?? '' };
  }
  return undefined;
}

/** The annotations of the content after a write. It moves only with the bytes: a new version with equal bytes restarts nothing. */
export function contentAnnotations(
  desired: DesiredTarget,
  existing: ExistingSecret,
  bytesChange: boolean,
): Readonly<Record<string, string>> {
  const { content, previous } = nextContent(desired, existing, bytesChange);
  return { [desired.contentNames.content]: content, [desired.contentNames.previous]: previous };
}

function nextContent(desired: DesiredTarget, existing: ExistingSecret, bytesChange: boolean): NamedContent {
  const now = contentOf(desired, existing);
  if (now === undefined) return { content: desired.content, previous: bytesChange ? UNKNOWN_CONTENT : '' };
  const { settled } = desired;
  const drifted = settled?.uid === existing.metadata.uid && settled.content === now.content;
  const adopted = ownerUid(existing) !== undefined && ownerUid(existing) !== desired.reference.uid;
  // Who runs an adopted Secret runs what it holds.
  if (adopted && !bytesChange) return { content: now.content, previous: '' };
  if (!bytesChange || drifted || now.content === desired.content) return now;
  return { content: desired.content, previous: now.content };
}
