import { expect, it } from 'vitest';
import { FaultBook } from './fault-book.ts';

const fault = { on: 'request', at: 'a: apply secrets app #2', do: 'conflict' } as const;

it('counts each name for itself, and fires once', () => {
  const book = new FaultBook({ scenario: 's', crew: 'one', faults: [fault] }, 'run-7');
  expect(book.take('request', 'a: apply secrets app')).toBeUndefined();
  expect(book.take('request', 'a: apply secrets other')).toBeUndefined();
  expect(book.missed()).toEqual([fault]);
  expect(book.take('request', 'a: apply secrets app')).toEqual(fault);
  expect(book.take('event', 'a: apply secrets app')).toBeUndefined();
  expect(book.missed()).toEqual([]);
});

it('leaves out of a name what makes the run unique', () => {
  const book = new FaultBook({ scenario: 's', crew: 'one', faults: [] }, 'run-7');
  book.take('call', 'GetSecretValue run-7/db');
  expect(book.seen()).toEqual([{ on: 'call', at: 'GetSecretValue */db #1' }]);
});
