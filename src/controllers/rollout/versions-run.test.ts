import { describe, expect, it } from 'vitest';
import type { Consumer, ConsumerState } from '../../api/v1/rollout.ts';
import { buildConsumer } from '../testing/builders.ts';
import { versionsRun } from './versions-run.ts';

const held = { content: '1:new', summary: 'db@3' };
const old = (parts: Partial<Consumer> = {}) => buildConsumer({ content: '1:old', versions: 'db@2', ...parts });
const marked = (state: ConsumerState, before?: Consumer) => versionsRun({ content: '1:new', state }, before, held);

describe('the versions that the pods of a consumer run', () => {
  it.each<ConsumerState>(['Progressing', 'Paused', 'Failed', 'WaitingForDelete', 'Partial', 'Stuck'])(
    'may be the old ones while it is %s',
    (state) => {
      expect(marked(state, old())).toEqual({ versions: 'db@3', replaces: ['db@2'] });
      expect(marked(state, buildConsumer({ content: '1:new', state, versions: 'db@3', replaces: ['db@2'] }))).toEqual({
        versions: 'db@3',
        replaces: ['db@2'],
      });
    },
  );

  it('are those of the Secret, and no others, when it is complete', () => {
    const before = buildConsumer({ content: '1:new', state: 'Progressing', versions: 'db@3', replaces: ['db@2'] });
    expect(marked('Complete', before)).toEqual({ versions: 'db@3' });
    expect(marked('LeftAlone', undefined)).toEqual({ versions: 'db@3' });
  });

  it('are the old ones while it waits, and where it is left alone', () => {
    for (const state of ['Waiting', 'LeftAlone'] as const) {
      expect(versionsRun({ content: '1:old', state }, old(), held)).toEqual({ versions: 'db@2' });
    }
  });

  it('may be those of each rollout that was not complete when the next began', () => {
    const second = old({ state: 'Paused', replaces: ['db@1'] });
    expect(marked('Paused', second)).toEqual({ versions: 'db@3', replaces: ['db@1', 'db@2'] });
    expect(versionsRun({ content: '1:old', state: 'Waiting' }, second, held)).toEqual({
      versions: 'db@2',
      replaces: ['db@1'],
    });
  });

  it('are told once where a rollout goes back to them', () => {
    const back = { content: '1:old', summary: 'db@2' };
    const before = buildConsumer({ content: '1:new', state: 'Failed', versions: 'db@3', replaces: ['db@2'] });
    expect(versionsRun({ content: '1:old', state: 'Progressing' }, before, back)).toEqual({
      versions: 'db@2',
      replaces: ['db@3'],
    });
  });

  it('are unknown where nobody knew them', () => {
    const { versions: _, ...before } = old();
    expect(marked('Progressing', before)).toEqual({ versions: 'db@3', replaces: ['unknown'] });
    expect(versionsRun({ content: '1:old', state: 'Waiting' }, before, held)).toEqual({});
    expect(versionsRun({ content: undefined, state: 'LeftAlone' }, old(), held)).toEqual({});
  });

  it('are at most four', () => {
    const before = old({ state: 'Failed', replaces: ['a@1', 'b@1', 'c@1'] });
    expect(marked('Failed', before).replaces).toEqual(['a@1', 'b@1', 'c@1']);
  });
});
