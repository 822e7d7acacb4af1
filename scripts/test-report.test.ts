import { expect, test } from 'vitest';
import { countTests } from './test-report.ts';

function file(status: string, ...tests: readonly string[]): object {
  return { name: 'x.test.ts', status, assertionResults: tests.map((each) => ({ title: 'a test', status: each })) };
}

function report(...files: readonly object[]): string {
  return JSON.stringify({ success: true, testResults: files });
}

test('counts tests over all files, and skipped ones as neither', () => {
  const text = report(file('passed', 'passed', 'skipped', 'passed'), file('failed', 'passed', 'failed'));

  expect(countTests(text)).toEqual({ passed: 3, failed: 1 });
});

test('counts a file that could not run as a failed test', () => {
  const text = report(file('passed', 'passed'), file('failed'));

  expect(countTests(text)).toEqual({ passed: 1, failed: 1 });
});

test('counts a file whose hooks failed as a failed test', () => {
  const text = report(file('failed', 'passed', 'skipped'));

  expect(countTests(text)).toEqual({ passed: 1, failed: 1 });
});
