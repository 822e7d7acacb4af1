import { describe, expect, it } from 'vitest';
import { parseAge, rotationDue } from './rotation.ts';

const day = 86_400_000;
const putAt = '2026-01-01T00:00:00Z';
const at = (days: number): number => Date.parse(putAt) + days * day;

describe('an age', () => {
  it.each([
    ['90d', 90 * day],
    ['12h', day / 2],
    ['30m', 1_800_000],
    ['60s', 60_000],
  ])('%s is read', (text, ms) => expect(parseAge(text)).toBe(ms));

  it.each(['', '0d', '90', '1w', '-1d', '1.5d', 'd', '999999d'])('%s is none', (text) =>
    expect(parseAge(text)).toBeUndefined(),
  );
});

describe('a rotation', () => {
  it.each([
    ['is not due without rotateAfter', undefined, putAt, at(900), { due: false, after: undefined }],
    ['is not due without a version', '90d', undefined, at(900), { due: false, after: undefined }],
    ['is not due before its time, which is told', '90d', putAt, at(89), { due: false, after: day }],
    ['is due at its time', '90d', putAt, at(90), { due: true, after: undefined }],
    ['is due after it', '90d', putAt, at(200), { due: true, after: undefined }],
    ['is not due where rotateAfter can not be read', '1w', putAt, at(900), { due: false, after: undefined }],
  ])('%s', (_what, rotateAfter, latestAt, now, expected) => {
    expect(rotationDue(rotateAfter, latestAt, now)).toEqual(expected);
  });
});
