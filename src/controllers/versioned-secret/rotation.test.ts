import { describe, expect, it } from 'vitest';
import { rotationDue } from './rotation.ts';

const day = 86_400_000;
const putAt = '2026-01-01T00:00:00Z';
const at = (days: number): number => Date.parse(putAt) + days * day;

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
