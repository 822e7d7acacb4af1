import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Stage } from '../stage.ts';

/** Plays the kubelet: pods become ready, or crash where what they are to run is bad. */
export interface Kubelet {
  /** Pods that start on this version of the secret crash. */
  fail(version: string): void;
  stop(): Promise<void>;
}

const podSchema = z.object({
  metadata: z.object({ deletionTimestamp: z.string().optional() }),
  status: z.object({ conditions: z.array(z.unknown()).default([]) }).prefault({}),
});

export function playKubelet(stage: Stage): Kubelet {
  const bad = new Set<string>();
  const stopped = new AbortController();
  const look = async (): Promise<void> => {
    for (const pod of await stage.pods()) {
      const { metadata, status } = podSchema.parse(pod);
      if (metadata.deletionTimestamp !== undefined || status.conditions.length > 1) continue;
      const crashes = stage.versionHeld('app', 'db').some((version) => bad.has(version));
      await stage.podStatus(pod.metadata.name, crashes ? crashing : ready);
    }
  };
  const play = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // A pod may go while it is looked at.
      await look().catch(() => undefined);
      await delay(100);
    }
  };
  const played = play();
  return {
    fail: (version) => bad.add(version),
    stop: async () => {
      stopped.abort();
      await played;
    },
  };
}

const startedAt = new Date(0).toISOString();
const container = { name: 'main', image: 'registry.example/app:1', imageID: '', restartCount: 0 };
const condition = (type: string, status: string): object => ({
  type,
  status,
  lastTransitionTime: startedAt,
});

const ready = {
  phase: 'Running',
  conditions: [condition('Ready', 'True'), condition('ContainersReady', 'True')],
  containerStatuses: [{ ...container, ready: true, started: true, state: { running: { startedAt } } }],
};
const crashing = {
  phase: 'Running',
  conditions: [condition('Ready', 'False'), condition('ContainersReady', 'False')],
  containerStatuses: [
    {
      ...container,
      restartCount: 3,
      ready: false,
      started: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    },
  ],
};
