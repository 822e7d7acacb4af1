import { z } from 'zod';
import type { KubeClient } from '../../../kube/client.ts';
import { selfSubjectReviews } from '../../../kube/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { ManagerError } from '../../errors.ts';
import { asking } from './refusal.ts';
import { defaultManager, findSealingTarget, type ManagerName, type SealingTarget } from './sealing-target.ts';

/** Who the API server says that we are. */
export interface ClientUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What a person's process needs to work on the embedded secrets of one namespace. */
export interface ClientSession {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  user(signal: AbortSignal): Promise<ClientUser>;
  /** What values are sealed to. */
  sealingTarget(signal: AbortSignal): Promise<SealingTarget>;
  /** Milliseconds to wait for the operator. Default 30 s. */
  readonly patience?: number;
}

/** Field manager of what people write by the command and the library. */
export const clientFieldManager = 'keyferry-cli';
/** Milliseconds. */
export const defaultPatience = 30_000;
/** The most groups that a spec may name. */
const MOST_GROUPS = 100;

/** The groups of a user that a spec names: its right may come from any of them. */
export function namedGroups({ groups }: ClientUser): readonly string[] {
  return groups.slice(0, MOST_GROUPS);
}

export interface SessionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  /** Whose key values are sealed to. Default: ClusterSecretManager `default`. */
  readonly manager?: ManagerName | undefined;
  readonly patience?: number | undefined;
}

/** A session over an API server. Asks nothing by itself. */
export function createSession(options: SessionOptions): ClientSession {
  const { client, namespace, clock, manager = defaultManager, patience = defaultPatience } = options;
  return {
    client,
    namespace,
    clock,
    patience,
    user: (signal) => whoAmI(client, signal),
    sealingTarget: (signal) => findSealingTarget(client, manager, namespace, signal),
  };
}

const reviewSchema = z.object({
  userInfo: z.object({ username: z.string().min(1), groups: z.array(z.string()).default([]) }),
});

/** Who the API server says that the caller of `client` is. */
export async function whoAmI(client: Pick<KubeClient, 'review'>, signal: AbortSignal): Promise<ClientUser> {
  const status = await asking(() => client.review(selfSubjectReviews, {}, { signal }));
  const { success, data } = reviewSchema.safeParse(status);
  if (success) return { name: data.userInfo.username, groups: data.userInfo.groups };
  throw new ManagerError('ManagerUnavailable', 'the API server does not say who we are: Kubernetes 1.28 or newer does');
}
