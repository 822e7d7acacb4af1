import { describe, expect, it } from 'vitest';
import { buildReference } from '../testing/builders.ts';
import { createWaitingNotes } from './waiting-notes.ts';

const budget = { reason: 'as many workloads as may be are being rolled out', refused: false };
const references = [buildReference(), buildReference({ metadata: { name: 'other' } })];

function setup() {
  const called: string[] = [];
  return { called, notes: createWaitingNotes(({ name }) => called.push(name)) };
}

describe('why a workload waits', () => {
  it('is told to all of its references when it changes, and only then', () => {
    const { called, notes } = setup();
    notes.set('1', budget, references);
    notes.set('1', { ...budget }, references);
    expect(called).toEqual(['api-db', 'other']);
    notes.set('1', { ...budget, refused: true }, references.slice(0, 1));
    expect(called).toEqual(['api-db', 'other', 'api-db']);
    expect(notes.get('1')).toEqual({ ...budget, refused: true });
  });

  it('is forgotten when it waits no more', () => {
    const { called, notes } = setup();
    notes.set('1', budget, []);
    notes.set('2', budget, []);
    notes.set('1', undefined, references);
    expect([notes.get('1'), notes.get('2')]).toEqual([undefined, budget]);
    expect(called).toEqual(['api-db', 'other']);
  });
});
