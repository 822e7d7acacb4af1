import { annotations } from '../../api/v1/names.ts';
import { shortHash } from './short-hash.ts';
import type { Marker } from './workload.ts';

/** What a target's marker is called by: the target, and for a shared one also the reference, since each has a content of its own there. */
export interface MarkedTarget {
  readonly name: string;
  /** Uid of the reference, where it merges its keys into a Secret of others. */
  readonly mergedBy?: string | undefined;
}

/** The name part of an annotation has at most 63 characters, of which `content.` takes eight. */
const LONGEST = 54;

/** Ends the other form of a marker's value. No content does. */
const AGAIN = '+';

/** Name of the annotation in a pod template that says which content of a target the workload was rolled out for. */
export function markerName({ name, mergedBy }: MarkedTarget): string {
  const whole = mergedBy === undefined ? name : `${name}.${shortHash(mergedBy)}`;
  return annotations.marker + (whole.length <= LONGEST ? whole : `${whole.slice(0, 45)}-${shortHash(whole)}`);
}

/**
 * What a marker says to name a content. Where others had set that very text (undone, copied), it is written in its other form: the same text again would
 * be no change of the template, and start no pods.
 */
export function markerValue(content: string, present: string | undefined): string {
  return present === content ? content + AGAIN : content;
}

/** The content that a marker names, in whichever form. */
export function contentOfMarker(value: string): string {
  return value.endsWith(AGAIN) ? value.slice(0, -AGAIN.length) : value;
}

/** Whether a marker says that we rolled its workload out for a content. One that others set says nothing. */
export function marksOurs(marker: Marker | undefined, content: string | undefined): boolean {
  return marker?.ours === true && contentOfMarker(marker.value) === content;
}
