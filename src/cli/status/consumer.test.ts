import { expect, it } from 'vitest';
import type { Consumer } from '../../api/v1/rollout.ts';
import { describeConsumer, runsOf } from './consumer.ts';

const consumer = (parts: Partial<Consumer>): Consumer => ({
  kind: 'Deployment',
  name: 'api',
  uid: 'u',
  uses: ['env'],
  state: 'Complete',
  ...parts,
});

it.each<[Partial<Consumer>, says: string, runs: string]>([
  [{ versions: 'db@3' }, 'Deployment/api runs db@3 (Complete)', 'db@3'],
  [{ state: 'Waiting', versions: 'db@2' }, 'Deployment/api runs db@2 (Waiting)', 'db@2'],
  [{ state: 'LeftAlone' }, 'Deployment/api runs what is not known (LeftAlone)', ''],
  [{ state: 'Progressing', versions: 'db@3' }, 'Deployment/api is to run db@3 (Progressing)', 'db@3'],
  [
    { state: 'Paused', versions: 'db@3', replaces: ['db@1', 'db@2'] },
    'Deployment/api goes from db@1 or db@2 to db@3 (Paused)',
    'db@1 -> db@2 -> db@3',
  ],
])('a consumer %j is said to be what it is', (parts, says, runs) => {
  expect([describeConsumer(consumer(parts)), runsOf(consumer(parts))]).toEqual([says, runs]);
});
