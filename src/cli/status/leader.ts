import { z } from 'zod';
import type { RawObject } from '../../kube/object.ts';
import { formatAge } from '../table.ts';

/** Name of the Lease that the operator works by. */
export const operatorLease = 'keyferry-operator';

const leaseSchema = z.object({
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      renewTime: z.string().nullish(),
    })
    .default({}),
});

export interface Leader {
  /** Whether an operator holds the lease and renewed it in time. */
  readonly alive: boolean;
  /** Who holds it, or held it last; empty where nobody is known. */
  readonly holder: string;
  readonly renewed: string | undefined;
  readonly says: string;
}

/**
 * Who leads, by the Lease.
 * @param now milliseconds since the epoch, by the clock of this machine
 */
export function leaderOf(lease: RawObject | undefined, now: number): Leader {
  if (lease === undefined) {
    const says = 'no operator has ever held the lease: is it installed, and in this namespace (--operator-namespace)?';
    return { alive: false, holder: '', renewed: undefined, says };
  }
  const { holderIdentity, leaseDurationSeconds, renewTime } = leaseSchema.safeParse(lease).data?.spec ?? {};
  const holder = holderIdentity ?? '';
  const renewed = renewTime ?? undefined;
  const at = renewed === undefined ? Number.NaN : Date.parse(renewed);
  if (Number.isNaN(at)) return { alive: false, holder, renewed, says: 'the lease does not say when it was renewed' };
  const age = formatAge(now - at);
  // As other candidates count, with a second for clocks that differ.
  const expired = now > at + (leaseDurationSeconds ?? 0) * 1000 + 1000;
  if (holder !== '' && !expired) return { alive: true, holder, renewed, says: `${holder}, renewed ${age} ago` };
  const last = holder === '' ? 'it was given back' : `the last was ${holder}`;
  return { alive: false, holder, renewed, says: `no operator holds the lease since ${renewed} (${age} ago): ${last}` };
}
