import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { microTime } from './micro-time.ts';
import type { RawObject } from './object.ts';
import type { Resource } from './resource.ts';

export const leases: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export interface LeaseRecordOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly clock: Clock;
}

const fieldManager = 'keyferry-leader-election';
const releaseTries = 3;

const leaseSchema = z.object({
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .default({}),
});

interface Observed {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Empty where nobody holds it. */
  readonly holder: string;
  /** Milliseconds that its holder asked for. */
  readonly duration: number;
  readonly transitions: number;
  /** Monotonic milliseconds of when this version was first seen here. */
  readonly since: number;
}

/** The Lease as one candidate sees and writes it. Every write is on condition that nobody wrote since. */
export class LeaseRecord {
  readonly #options: LeaseRecordOptions;
  /** Milliseconds. */
  readonly #duration: number;
  #observed: Observed | undefined;

  constructor(options: LeaseRecordOptions, duration: number) {
    this.#options = options;
    this.#duration = duration;
  }

  /** Takes the lease if it is free, expired or ours. False where it is somebody else's, or they were faster. */
  async tryAcquire(signal: AbortSignal, deadline: number): Promise<boolean> {
    const { clock, identity } = this.#options;
    const limits = { signal, deadline };
    const current = await this.#current(limits);
    if (current === undefined) {
      return this.#create(limits);
    }
    const held = current.holder !== '' && current.holder !== identity;
    if (held && clock.monotonic() < current.since + current.duration) {
      return false;
    }
    return this.#write(limits, current, this.#taken(current));
  }

  /** Renews the lease that we hold. False where it is certain that we do not any more. */
  async tryRenew(signal: AbortSignal, deadline: number): Promise<boolean> {
    const { identity } = this.#options;
    const limits = { signal, deadline };
    if (this.#observed !== undefined && (await this.#write(limits, this.#observed, this.#renewed()))) {
      return true;
    }
    // Somebody wrote: maybe we did, in a call whose answer got lost.
    const current = await this.#current(limits);
    if (current === undefined) {
      return this.#create(limits);
    }
    return current.holder === identity && this.#write(limits, current, this.#renewed());
  }

  /**
   * Lets the next candidate take the lease at once, if it is ours. A call that was given up may have taken effect, or may yet: what
   * was observed last is not what there is.
   */
  async release(signal: AbortSignal, deadline: number): Promise<void> {
    const limits = { signal, deadline };
    for (let tries = 0; tries < releaseTries; tries += 1) {
      const current = await this.#current(limits);
      if (current?.holder !== this.#options.identity || (await this.#write(limits, current, this.#free()))) return;
    }
    throw new Error(`others wrote to the lease each of ${releaseTries} times`);
  }

  /** Undefined where there is none. */
  async #current(limits: Limits): Promise<Observed | undefined> {
    try {
      return this.#see(await this.#options.client.get(leases, this.#options, limits));
    } catch (error) {
      return isNotFound(error) ? undefined : rethrow(error);
    }
  }

  #free(): Record<string, unknown> {
    const now = microTime(this.#options.clock.now());
    return { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
  }

  async #create(limits: Limits): Promise<boolean> {
    const { client, namespace, name } = this.#options;
    const spec = this.#taken(undefined);
    try {
      this.#see(await client.create(leases, { metadata: { name, namespace }, spec }, { ...limits, fieldManager }));
      return true;
    } catch (error) {
      return isAlreadyExists(error) ? false : rethrow(error);
    }
  }

  /** False where the lease is not as it was observed. */
  async #write(limits: Limits, observed: Observed, spec: Record<string, unknown>): Promise<boolean> {
    const { client, namespace, name } = this.#options;
    const { uid, resourceVersion } = observed;
    try {
      const body = { metadata: { name, namespace, uid, resourceVersion }, spec };
      this.#see(await client.mergePatch(leases, body, { ...limits, fieldManager }));
      return true;
    } catch (error) {
      return isConflict(error) || isNotFound(error) ? false : rethrow(error);
    }
  }

  #see(raw: RawObject): Observed {
    const { uid, resourceVersion } = raw.metadata;
    if (this.#observed?.uid === uid && this.#observed.resourceVersion === resourceVersion) {
      return this.#observed;
    }
    const spec = leaseSchema.safeParse(raw).data?.spec ?? {};
    this.#observed = {
      uid,
      resourceVersion,
      holder: spec.holderIdentity ?? '',
      duration: (spec.leaseDurationSeconds ?? 0) * 1000,
      transitions: spec.leaseTransitions ?? 0,
      since: this.#options.clock.monotonic(),
    };
    return this.#observed;
  }

  #taken(previous: Observed | undefined): Record<string, unknown> {
    const { identity, clock } = this.#options;
    const transitions = previous?.transitions ?? 0;
    return {
      ...this.#renewed(),
      acquireTime: microTime(clock.now()),
      leaseTransitions: previous === undefined || previous.holder === identity ? transitions : transitions + 1,
    };
  }

  #renewed(): Record<string, unknown> {
    const { identity, clock } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#duration / 1000),
      renewTime: microTime(clock.now()),
    };
  }
}

interface Limits {
  readonly signal: AbortSignal;
  readonly deadline: number;
}

function rethrow(error: unknown): never {
  throw error;
}
