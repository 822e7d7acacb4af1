import { z } from 'zod';
import { annotations } from './names.ts';
import type { SecretReferenceSpec } from './secret-reference.ts';

/** That nothing is done for a reference at present. */
export interface Suspension {
  /** When it goes on by itself, in milliseconds since the epoch; undefined where somebody has to say so. */
  readonly until?: number;
  /** What it says and what it wants of whoever reads it. */
  readonly message: string;
}

interface Suspendable {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: Pick<SecretReferenceSpec, 'suspend'>;
}

const timeSchema = z.iso.datetime({ offset: true });

/** By its spec until that says otherwise, or by an annotation until a time. `now` is in milliseconds since the epoch. */
export function suspensionOf({ metadata, spec }: Suspendable, now: number): Suspension | undefined {
  if (spec.suspend) return { message: 'nothing is synced or repaired until spec.suspend is false' };
  const text = metadata.annotations[annotations.suspendUntil];
  if (text === undefined) return undefined;
  if (!timeSchema.safeParse(text).success) {
    // Whoever wrote it wanted it to stop.
    return {
      message: `nothing is synced or repaired: its annotation ${annotations.suspendUntil} is no time (RFC 3339)`,
    };
  }
  const until = Date.parse(text);
  return now < until
    ? { until, message: `nothing is synced or repaired until ${new Date(until).toISOString()}` }
    : undefined;
}
