import { expect, test } from 'vitest';
import { createStore } from '../../kube/store.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { buildMetadata } from '../testing/builders.ts';
import { createOpenAsks } from './open-asks.ts';
import { type Reveal, toReveal } from './reveal.ts';
import { buildSpec } from './testing/builders.ts';

let version = 0;

function reveal(name: string, requestedBy: string, status = {}): Reveal {
  version += 1;
  const metadata = buildMetadata({ name, uid: name, resourceVersion: `${version}` });
  return toReveal({ metadata, spec: { ...buildSpec(), requestedBy }, status });
}

test('who waits for more than ten answers is a crowd, until enough of them came or were taken back', () => {
  const asks = createOpenAsks();
  const reveals = createStore<Reveal>({ logger: createRecordingLogger() });
  reveals.onChange((change) => asks.changed(change));
  const writer = reveals.writer();
  const mine = reveal('mine', 'ada');
  writer.put(mine);
  const many = Array.from({ length: 12 }, (_none, index) => reveal(`r-${index}`, 'mallory'));
  const crowd = (): boolean => asks.isCrowd(reveal('one more', 'mallory'));

  for (const each of many.slice(0, 10)) writer.put(each);
  expect(crowd()).toBe(false);
  for (const each of many.slice(10)) writer.put(each);
  expect([crowd(), asks.isCrowd(mine)]).toEqual([true, false]);

  writer.put(reveal('r-0', 'mallory', { state: 'Answered' }));
  expect(crowd()).toBe(true);
  writer.remove(many[1] ?? mine);
  expect(crowd()).toBe(false);
});
