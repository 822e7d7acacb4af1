import { expect, test } from 'vitest';
import { createOutages } from './outages.ts';

test('an outage begins with the third call in a row that is not answered, and ends with an answer', () => {
  const changes: string[] = [];
  const outages = createOutages((key) => changes.push(key));

  for (let tries = 0; tries < 2; tries += 1) outages.note('m', { result: 'ManagerUnavailable' });
  expect(outages.reasonOf('m')).toBeUndefined();
  outages.note('m', { result: 'ManagerUnavailable' });
  outages.note('m', { result: 'ManagerUnavailable' });
  expect(outages.reasonOf('m')).toBe('ManagerUnavailable');
  outages.note('m', { result: 'ok' });

  expect(outages.reasonOf('m')).toBeUndefined();
  expect(changes).toEqual(['m', 'm']);
});

test('a refusal is an answer', () => {
  const outages = createOutages(() => undefined);

  for (let tries = 0; tries < 5; tries += 1) outages.note('m', { result: 'AccessDenied' });

  expect(outages.reasonOf('m')).toBeUndefined();
});
