import { array, assert as assertProperty, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRule } from '../api/v1/secret-manager.ts';
import { type AccessAsker, isGranted, ruleMistakes, suggestRule } from './access-rules.ts';
import { matchesSecret } from './secret-pattern.ts';

const shop: AccessAsker = { namespace: 'shop', labels: { team: 'shop', tier: 'gold' } };
const noLabels: ReadonlySet<string> = new Set();
const everywhere = { names: ['*'] };

function grants(rules: readonly AccessRule[], secret: string, asker = shop, trusted = noLabels): boolean {
  return isGranted(rules, asker, secret, trusted);
}

function grantsPattern(pattern: string, secret: string): boolean {
  return grants([{ namespaces: everywhere, secrets: [pattern] }], secret);
}

function grantsNamespaces(namespaces: AccessRule['namespaces'], asker = shop, trusted = noLabels): boolean {
  return grants([{ namespaces, secrets: ['**'] }], 'db', asker, trusted);
}

describe('security rule 9: access rules', () => {
  it('grant nothing when there are none', () => {
    expect(grants([], 'db')).toBe(false);
  });

  it('grant across rules what one of them grants', () => {
    const rules = [
      { namespaces: { names: ['other'] }, secrets: ['db'] },
      { namespaces: { names: ['shop'] }, secrets: ['api', 'web'] },
    ];
    expect([grants(rules, 'web'), grants(rules, 'db')]).toEqual([true, false]);
  });

  it('do not mix the namespaces of one rule with the secrets of another', () => {
    const rules = [
      { namespaces: { names: ['shop'] }, secrets: ['own'] },
      { namespaces: { names: ['admin'] }, secrets: ['root'] },
    ];
    expect(grants(rules, 'root')).toBe(false);
  });
});

describe('security rule 9: namespaces of a rule', () => {
  it.each([
    ['shop', 'shop', true],
    ['shop', 'shop-eu', false],
    ['hop', 'shop', false],
    ['team-*', 'team-', true],
    ['team-*', 'team-a', true],
    ['team-*', 'my-team-a', false],
    ['*-eu', 'shop-eu', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*', 'anything', true],
    ['', 'shop', false],
    ['sh.p', 'shop', false],
  ])('the name %j on namespace %s: %s', (pattern, namespace, expected) => {
    expect(grantsNamespaces({ names: [pattern] }, { namespace, labels: {} })).toBe(expected);
  });

  it('match nothing when neither names nor a selector are given', () => {
    expect(grantsNamespaces({})).toBe(false);
  });

  it('match nothing with an empty list of names, even beside a selector that matches', () => {
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } };
    expect([grantsNamespaces({ names: [] }), grantsNamespaces({ names: [], selector })]).toEqual([false, false]);
  });

  it.each([[{}], [{ matchLabels: {} }], [{ matchExpressions: [] }]])(
    'match nothing with the empty selector %j',
    (selector) => {
      expect([grantsNamespaces({ selector }), grantsNamespaces({ names: ['*'], selector })]).toEqual([false, false]);
    },
  );

  it('must meet both names and selector where both are given', () => {
    const selector = { matchLabels: { team: 'shop' } };
    const trusted = new Set(['team']);
    expect(grantsNamespaces({ names: ['shop'], selector }, shop, trusted)).toBe(true);
    expect(grantsNamespaces({ names: ['other'], selector }, shop, trusted)).toBe(false);
    expect(grantsNamespaces({ names: ['shop'], selector: { matchLabels: { team: 'x' } } }, shop, trusted)).toBe(false);
  });

  it('may not be selected by a label that is not trusted, in either way of writing it', () => {
    const asked = [
      { matchLabels: { team: 'shop' } },
      { matchExpressions: [{ key: 'team', operator: 'Exists' as const }] },
      { matchExpressions: [{ key: 'other', operator: 'DoesNotExist' as const }] },
      { matchLabels: { team: 'shop', tier: 'gold' } },
    ];
    expect(asked.map((selector) => grantsNamespaces({ selector }, shop, new Set(['tier'])))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('are selected by the real name, not by a label that claims to be it', () => {
    const liar = { namespace: 'evil', labels: { 'kubernetes.io/metadata.name': 'shop' } };
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } };
    expect([grantsNamespaces({ selector }, liar), grantsNamespaces({ selector }, shop)]).toEqual([false, true]);
  });

  it.each([
    ['In', ['gold', 'silver'], true],
    ['In', ['silver'], false],
    ['NotIn', ['silver'], true],
    ['NotIn', ['gold'], false],
    ['Exists', undefined, true],
    ['DoesNotExist', undefined, false],
    ['In', [], false],
    ['NotIn', [], false],
    ['NotIn', undefined, false],
    ['Exists', ['gold'], false],
  ] as const)('are selected by an expression: tier %s %j is %s', (operator, values, expected) => {
    const expression = { key: 'tier', operator, ...(values === undefined ? {} : { values: [...values] }) };
    expect(grantsNamespaces({ selector: { matchExpressions: [expression] } }, shop, new Set(['tier']))).toBe(expected);
  });

  it.each([
    { matchLabels: { tier: 'gold' } },
    { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' as const }] },
    { matchExpressions: [{ key: 'tier', operator: 'NotIn' as const, values: ['guest'] }] },
  ])('are not selected by labels that are not known: %j', (selector) => {
    const stranger = { namespace: 'shop', labels: undefined };

    expect(grantsNamespaces({ selector }, stranger, new Set(['tier']))).toBe(false);
  });

  it('are selected by their name even where their labels are not known', () => {
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } };

    expect(grantsNamespaces({ selector }, { namespace: 'shop', labels: undefined })).toBe(true);
  });

  it('treat an absent label as Kubernetes does, and look at own properties only', () => {
    const trusted = new Set(['gone', 'constructor']);
    const select = (key: string, operator: 'NotIn' | 'DoesNotExist' | 'Exists'): boolean =>
      grantsNamespaces(
        { selector: { matchExpressions: [{ key, operator, ...(operator === 'NotIn' ? { values: ['a'] } : {}) }] } },
        shop,
        trusted,
      );
    expect([select('gone', 'NotIn'), select('gone', 'DoesNotExist'), select('constructor', 'Exists')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('security rule 9: secrets of a rule', () => {
  it.each([
    ['db', 'db', true],
    ['db', 'db2', false],
    ['db', 'mydb', false],
    ['db', 'DB', false],
    ['d.b', 'dxb', false],
    ['shop/*', 'shop/db', true],
    ['shop/*', 'shop/db/password', false],
    ['shop/*', 'shop', false],
    ['shop/*', 'shop/', false],
    ['shop/db*', 'shop/db', true],
    ['*/db', 'shop/db', true],
    ['*/db', '/db', false],
    ['*', 'shop/db', false],
    ['*', 'db', true],
    ['shop/**', 'shop/db', true],
    ['shop/**', 'shop/db/password', true],
    ['shop/**', 'shop', false],
    ['shop/**', 'shop-eu/db', false],
    ['**', 'a/b/c', true],
    ['**', '/a', false],
    ['/**', '/a/b', true],
    ['**/db', 'a/b/db', true],
    ['**/db', 'db', false],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/z', false],
    ['app/feature-**', 'app/feature-x/y', true],
    ['app/feature-**', 'app/feature-', true],
    ['app/feature-**', 'app/other', false],
    ['a*b/*c', 'axxb/yc', true],
    ['a**b', 'axxb', false],
    ['***', 'abc', false],
    ['a/b**/c', 'a/bx/c', false],
    ['', '', false],
    ['**', '', false],
  ])('%j on %j: %s', (pattern, secret, expected) => {
    expect(grantsPattern(pattern, secret)).toBe(expected);
  });

  it('put the namespace in place of {namespace}, as a whole segment only', () => {
    expect(grantsPattern('{namespace}/**', 'shop/db')).toBe(true);
    expect(grantsPattern('{namespace}/**', 'shop-eu/db')).toBe(false);
    expect(grantsPattern('prod/{namespace}/db', 'prod/shop/db')).toBe(true);
    expect(grantsPattern('{namespace}-*/db', 'shop-eu/db')).toBe(false);
    expect(grantsPattern('{namespace}*', 'shop')).toBe(false);
    expect(grantsPattern('{name}', '{name}')).toBe(false);
  });

  it.each(['a/../b', '..', './a', 'a/.', 'a//b', 'a/', 'a\u0000b', 'a\nb', 'a\u007f', 'a\u202eb', 'a\u200bb'])(
    'never grant the name %j',
    (secret) => {
      expect([grantsPattern('**', secret), grantsPattern(secret, secret)]).toEqual([false, false]);
    },
  );

  it('grant an ARN only by a pattern that begins with arn:', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf';
    const granted = ['**', '*/*', '*/db-AbCdEf', `${arn.slice(0, -7)}*`, arn, '*rn:**', 'arn:**'].map((p) =>
      grantsPattern(p, arn),
    );
    expect(granted).toEqual([false, false, false, true, true, false, true]);
    expect(grantsPattern('arn:**', 'shop/db')).toBe(false);
  });

  it('agree with an oracle of regular expressions', () => {
    const piece = constantFrom('a', 'b', '*', '**', '/', '.', '{namespace}', 'shop');
    const patterns = array(piece, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''));
    const letters = array(constantFrom('a', 'b', '/', '.', 'shop'), { minLength: 1, maxLength: 8 });
    const names = letters.map((parts) => parts.join(''));
    assertProperty(
      property(patterns, names, (pattern, name) => {
        expect(matchesSecret(pattern, name, 'shop')).toBe(oracle(pattern, name));
      }),
      { numRuns: 4000 },
    );
  });

  it('stay quick where a backtracking matcher would never end', () => {
    const pattern = `${'*a'.repeat(100)}b`;
    expect(grantsPattern(pattern, 'a'.repeat(500))).toBe(false);
  });
});

describe('what is said about access rules', () => {
  it('suggests a rule that grants exactly what was asked', () => {
    expect(suggestRule({ namespace: 'shop', secret: 'db.password' })).toBe(
      '{namespaces: {names: ["shop"]}, secrets: ["db.password"]}',
    );
  });

  it('finds no mistake in good rules', () => {
    const selector = { matchLabels: { 'kubernetes.io/metadata.name': 'a' }, matchExpressions: [] };
    const rules: AccessRule[] = [
      { namespaces: { names: ['*'], selector }, secrets: ['{namespace}/**', 'arn:aws:x', '/a'] },
    ];
    expect(ruleMistakes(rules, noLabels)).toEqual([]);
  });

  it('names each thing that can never match', () => {
    const rules: AccessRule[] = [
      { namespaces: { selector: { matchLabels: { team: 'a' } } }, secrets: ['x-{namespace}'] },
      { namespaces: { selector: {}, names: [] }, secrets: [] },
      { namespaces: {}, secrets: ['a//b'] },
    ];
    expect(ruleMistakes(rules, noLabels)).toEqual([
      'access[0].namespaces.selector uses the label team, which tenants may set themselves: list it in --trusted-namespace-labels, or use kubernetes.io/metadata.name',
      'access[0].secrets: "x-{namespace}" has braces: only {namespace}, as a whole segment between slashes, may stand in them',
      'access[1].namespaces.names is empty: ["*"] is every namespace',
      'access[1].namespaces.selector is empty: to grant to every namespace, use names: ["*"]',
      'access[1].secrets is empty: it grants nothing',
      'access[2].namespaces names no namespace: give names or a selector',
      'access[2].secrets: "a//b" has an empty segment (`//`, or a slash at the end)',
    ]);
  });
});

const PLAIN = String.raw`(?!\.{1,2}(?:/|$))(?:[^*/{}]|\*(?!\*))+`;
const SEGMENT = String.raw`(?:\*\*|\{namespace\}|${PLAIN})`;
const GOOD_PATTERN = new RegExp(String.raw`^/?(?:${SEGMENT}/)*(?:${SEGMENT}|(?:${PLAIN})?\*\*)$`, 'u');
const GOOD_NAME = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!.+\/\/)(?!\/\/)(?!.*\/$).+$/u;

/** The documented meaning, said another way: with regular expressions. */
function oracle(pattern: string, name: string): boolean {
  if (!GOOD_PATTERN.test(pattern) || !GOOD_NAME.test(name)) return false;
  if (pattern.startsWith('/') !== name.startsWith('/')) return false;
  const meanings: Record<string, string> = { '**': '.*', '*': '[^/]*', '.': '\\.', '{namespace}': 'shop' };
  const source = pattern.replaceAll(/\*\*|\*|\.|\{namespace\}/g, (found) => meanings[found] ?? found);
  return new RegExp(`^${source}$`, 'u').test(name);
}
