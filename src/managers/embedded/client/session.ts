import type { KubeClient } from '../../../kube/client.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { SealingTarget } from './sealing-target.ts';

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
