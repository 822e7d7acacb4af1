import { expect, test } from 'vitest';
import { countTests, partTimes } from './test-report.ts';

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

test('adds up how long the tests of each part took, and leaves out those that did not run', () => {
  const tests = [
    { status: 'passed', ancestorTitles: ['install'], duration: 1500 },
    { status: 'passed', ancestorTitles: ['install', 'again'], duration: 500 },
    { status: 'failed', ancestorTitles: ['rotate'], duration: 250 },
    { status: 'skipped', ancestorTitles: ['uninstall'] },
  ];
  const text = JSON.stringify({ testResults: [{ status: 'failed', assertionResults: tests }] });

  expect(partTimes(text)).toEqual([
    { part: 'install', tests: 2, seconds: 2 },
    { part: 'rotate', tests: 1, seconds: 0.25 },
  ]);
});
