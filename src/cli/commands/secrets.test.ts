import { describe, expect, it } from 'vitest';
import { secretTypeSpecSchema } from '../../api/v1/secret-type.ts';
import { type SecretObject, toSecret } from '../../managers/embedded/client/objects.ts';
import { summaryOf } from '../secret-summary.ts';
import { secretText } from '../secret-text.ts';
import { renderTable } from '../table.ts';
import { turned } from './disable.ts';
import { changeOf } from './edit.ts';
import { isWanted, listColumns } from './list.ts';
import { formText } from './types.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const day = 86_400_000;

function secretWith(spec: object, status: object, labels: Readonly<Record<string, string>> = {}): SecretObject {
  const metadata = { name: 'db', namespace: 'shop', uid: 'u', resourceVersion: '1', generation: 1 };
  const rest = { labels, annotations: {}, ownerReferences: [], creationTimestamp: ago(200) };
  return toSecret({ metadata: { ...metadata, ...rest }, spec, status });
}

function ago(days: number): string {
  return new Date(now - days * day).toISOString();
}

function version(number: number, days: number, more: object = {}): object {
  const kept = { uid: 'u', key: 'k', digest: 'd', createdAt: ago(days), createdBy: 'ann' };
  return { version: number, state: 'Enabled', ...kept, ...more };
}

function ready(status: 'True' | 'False', reason: string, message = ''): object {
  return { type: 'Ready', status, reason, message, lastTransitionTime: ago(1) };
}

const full = {
  latest: 3,
  previous: 2,
  versions: [version(3, 10, { from: 1 }), version(2, 20), version(1, 100, { state: 'Disabled' })],
  conditions: [ready('True', 'Available')],
  gone: '4-5',
};

describe('keyferry list', () => {
  it('shows of each secret its type, its latest version and who put it, and how it is', () => {
    const broken = secretWith({}, { conditions: [ready('False', 'Empty')] });
    const rows = [secretWith({ name: 'DB', type: 'api-key' }, { ...full, users: 2 }), broken].map(summaryOf);
    expect(renderTable(listColumns(true, now), rows)).toBe(
      [
        'NAMESPACE   NAME   TYPE      LATEST   UPDATED   CREATED-BY   USED-BY   STATUS\n',
        'shop        DB     api-key   3        10d       ann          2         Available\n',
        'shop        db     -         -        -         -            0         Empty\n',
      ].join(''),
    );
  });

  it('tells what is due once nothing is wrong', () => {
    const due = { type: 'RotationDue', status: 'True', reason: 'Old', message: 'old', lastTransitionTime: ago(1) };
    expect(summaryOf(secretWith({}, { ...full, conditions: [ready('True', 'Available'), due] })).status).toBe(
      'RotationDue',
    );
    expect(summaryOf(secretWith({}, { ...full, conditions: [ready('False', 'LimitExceeded'), due] })).status).toBe(
      'LimitExceeded',
    );
    expect(summaryOf(secretWith({}, {})).status).toBe('Pending');
  });

  it.each([
    ['unused', { unused: true }, { users: 0 }, true],
    ['unused, which is used', { unused: true }, { users: 1 }, false],
    ['older than 9 days', { olderThan: 9 * day }, full, true],
    ['older than 11 days', { olderThan: 11 * day }, full, false],
    ['older, which has no version: by its own age', { olderThan: 150 * day }, {}, true],
  ])('selects what is %s', (_what, options, status, wanted) => {
    expect(isWanted(summaryOf(secretWith({}, status)), options, now)).toBe(wanted);
  });
});

describe('keyferry show', () => {
  it('tells everything that there is to tell', () => {
    const user = { reference: 'api-db', versions: [3], pinned: false, consumers: ['Deployment/api@3'] };
    const rejection = { version: 5, reason: 'InvalidValue', message: 'too short', createdBy: 'bob', time: ago(2) };
    const spec = { name: 'DB', description: 'the shop', rotateAfter: '90d', writeOnly: true };
    const text = secretText(
      secretWith(spec, { ...full, usedBy: [user], users: 3, rejected: [rejection] }, { team: 'shop' }),
      [],
      now,
    );
    expect(text).toContain('Name:         DB\n');
    expect(text).toContain('Labels:       team=shop\n');
    expect(text).toContain('Write-only:   yes');
    expect(text).toContain('Gone:         4-5');
    expect(text).toMatch(/\n3 +Enabled +latest +10d +ann +1\n2 +Enabled +previous +20d +ann +-\n1 +Disabled +- /);
    expect(text).toMatch(/\napi-db +3 +latest +Deployment\/api@3\nand 2 more/);
    expect(text).toMatch(/\n5 +2d +bob +InvalidValue +too short\n/);
  });

  it('says of an empty secret what fills it, and why it is not ready', () => {
    const text = secretText(secretWith({}, { conditions: [ready('False', 'Empty', 'it has no version')] }), [], now);
    expect(text).toContain('Status:       Empty: it has no version\n');
    expect(text).toContain('keyferry put fills it');
    expect(text).toContain('No reference uses it.');
  });
});

describe('keyferry disable', () => {
  it('adds the number to those that are disabled, and enable takes it away', () => {
    expect(turned(secretWith({ disabledVersions: [1] }, full), 2, 'Disabled')).toEqual({
      spec: { disabledVersions: [1, 2] },
    });
    expect(turned(secretWith({ disabledVersions: [1, 2] }, full), 1, 'Enabled')).toEqual({
      spec: { disabledVersions: [2] },
    });
    expect(turned(secretWith({ disabledVersions: [1] }, full), 1, 'Enabled')).toEqual({
      spec: { disabledVersions: null },
    });
  });

  it('changes nothing where it is so already', () => {
    expect(turned(secretWith({ disabledVersions: [1] }, full), 1, 'Disabled')).toBeUndefined();
    expect(turned(secretWith({}, full), 1, 'Enabled')).toBeUndefined();
  });

  it('refuses the latest, and a version that there is not', () => {
    expect(() => turned(secretWith({}, full), 3, 'Disabled')).toThrow('put another or roll back first');
    expect(() => turned(secretWith({}, full), 9, 'Disabled')).toThrow('has no version 9');
  });
});

it('keyferry edit changes what is given, and an empty text takes away', () => {
  expect(changeOf({})).toBeUndefined();
  expect(changeOf({ description: 'x', type: '', label: { a: null } })).toEqual({
    spec: { description: 'x', type: null },
    labels: { a: null },
  });
});

it('keyferry types shows a type as a form', () => {
  const properties = { note: { type: 'string' }, port: { type: 'number', minimum: 1, maximum: 9, title: 'Port' } };
  const schema = { type: 'object', required: ['port'], additionalProperties: false, properties };
  const form = formText({ name: 'db', spec: secretTypeSpecSchema.parse({ displayName: 'Database', schema }) });
  expect(form).toBe(
    [
      'db - Database\nSecrets made of it are usually of type Opaque.\n\n',
      'FIELD   TYPE     REQUIRED   RULES    WHAT\n',
      'port    number   yes        1 to 9   Port\n',
      'note    string   no         -        -\n',
      'Other fields are refused.\n',
    ].join(''),
  );
  const text = formText({
    name: 'key',
    spec: secretTypeSpecSchema.parse({ schema: { type: 'string', minLength: 8 } }),
  });
  expect(text).toContain('The value is one string: at least 8 characters.\n');
});
