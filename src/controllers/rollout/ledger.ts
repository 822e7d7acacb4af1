import type { Consumer } from '../../api/v1/rollout.ts';
import { contentOfMarker } from './marker.ts';
import type { Marker } from './workload.ts';

/** What pods run that started on a Secret before Keyferry wrote it: other bytes than any content has. */
export const UNKNOWN_CONTENT = 'unknown';

/** What a Secret says of its own content, in the same write as its bytes. */
export interface SecretContent {
  /** The content that it holds; undefined where Keyferry has written none yet, and is about to. */
  readonly content: string | undefined;
  /** The content before; empty at the first, `unknown` where others had written other bytes. */
  readonly previous: string;
  /** When it was last written, by the API server's own record (RFC 3339); undefined where nobody looked. */
  readonly changedAt?: string | undefined;
  /** The reference's status names this content already. False while a change is in flight. */
  readonly agreed: boolean;
}

/** What is known of a workload when its entry is made. */
export interface Evidence {
  /** RFC 3339, by the API server. */
  readonly createdAt: string | undefined;
  readonly marker: Marker | undefined;
  readonly entry: Pick<Consumer, 'content'> | undefined;
  /** The content that this process itself marked it with last. */
  readonly applied?: string | undefined;
}

/** Milliseconds: a workload created later than this after a change can only have started on the new content. */
const SURELY_LATER = 60_000;

/**
 * The content that a workload's pods are known to run. Only Keyferry changes the Secret, so whoever stood in the ledger before a change ran what was
 * there then; time stamps decide only about a workload that nobody has seen before while a change is in flight.
 */
export function contentRunBy({ createdAt, marker, entry, applied }: Evidence, secret: SecretContent): string {
  // Nobody but us changed it since we rolled the workload out for it.
  if (marker?.ours === true) return contentOfMarker(marker.value);
  // It was marked, and others took the marker away: its pods were replaced all the same.
  if (applied !== undefined) return applied;
  if (entry?.content !== undefined) return entry.content;
  const { content = UNKNOWN_CONTENT, previous, changedAt, agreed } = secret;
  if (agreed || previous === '') return content;
  return isSurelyLater(createdAt, changedAt) ? content : previous;
}

function isSurelyLater(createdAt: string | undefined, changedAt: string | undefined): boolean {
  if (createdAt === undefined || changedAt === undefined) return false;
  return Date.parse(createdAt) > Date.parse(changedAt) + SURELY_LATER;
}

/** Whether a workload that is rolled out runs something else than the Secret holds. */
export function isDue(
  consumer: Pick<Consumer, 'content'> & Partial<Pick<Consumer, 'state'>>,
  content: string,
): boolean {
  return consumer.state !== 'LeftAlone' && consumer.content !== undefined && consumer.content !== content;
}
