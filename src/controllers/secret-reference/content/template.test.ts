import { describe, expect, test } from 'vitest';
import { SecretValue } from '../../../managers/secret-value.ts';
import { checkTemplate, renderTemplate } from './template.ts';
import { refusal, text } from './testing.ts';

const VALUES = {
  username: 'ann@corp?x',
  password: "p'w/d:+ %",
  'db.password': 'dotted',
  'a-b_c': 'dashed',
  Token: 'mixed',
  empty: '',
  size: 'a key named size',
  multi: ' two\n"lines" ',
};

function render(template: string, values: Readonly<Record<string, string>> = VALUES): string {
  const map = new Map(Object.entries(values).map(([key, value]) => [key, text(value)]));
  return renderTemplate({ out: template }, map, new Set(map.keys())).get('out')?.asString() ?? '';
}

function problem(template: string, values: Readonly<Record<string, string>> = VALUES): string {
  const error = refusal(() => render(template, values));
  expect(error.reason).toBe('TemplateFailed');
  return error.message;
}

describe('renderTemplate', () => {
  test.each([
    ['plain text', 'no outputs, but { } and }} and $x', 'no outputs, but { } and }} and $x'],
    ['nothing', '', ''],
    ['a key', '{{Secrets.size}}', 'a key named size'],
    ['a key with space around it', 'a {{  Secrets.size\n}} b', 'a a key named size b'],
    ['a key with dashes', '{{Secrets.a-b_c}}', 'dashed'],
    ['a name in double quotes', '{{Secrets["db.password"]}}', 'dotted'],
    ['a name in single quotes', "{{ Secrets[ 'db.password' ] }}", 'dotted'],
    ['a name in another case', '{{Secrets.USERNAME}}{{Secrets["DB.Password"]}}', 'ann@corp?xdotted'],
    ['outputs side by side', '{{Secrets.token}}{{Secrets.token}}', 'mixedmixed'],
    ['text of the template', '{{ "{{ x }} {% y %}" }}{{ \'\\n"\' }}', '{{ x }} {% y %}\n"'],
    ['dashes that take whitespace away', 'a \n {{- Secrets.token -}} \n b', 'amixedb'],
    ['an empty value', '[{{Secrets.empty}}]', '[]'],
    ['unicode', 'grüße {{Secrets.token}} 🙂', 'grüße mixed 🙂'],
  ])('renders %s', (_, template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    ['uri', '{{Secrets.username | uri}}:{{ Secrets.password|uri }}', 'ann%40corp%3Fx:p%27w%2Fd%3A%2B%20%25'],
    ['base64', '{{Secrets.token | base64}}', 'bWl4ZWQ='],
    ['json', '{{Secrets.multi | json}}', '" two\\n\\"lines\\" "'],
    ['trim', '[{{Secrets.multi | trim}}]', '[two\n"lines"]'],
    ['upper', '{{Secrets.token | upper}}', 'MIXED'],
    ['lower', '{{Secrets.token | lower}}', 'mixed'],
    ['default with an empty value', '{{Secrets.empty | default: "other"}}', 'other'],
    ['default with a value', '{{Secrets.token | default: "other"}}', 'mixed'],
    ['default with another key', '{{Secrets.empty | default: Secrets.TOKEN | upper}}', 'MIXED'],
    ['default after a filter', '{{ " " | trim | default: "x" }}', 'x'],
    ['several filters, in their order', '{{ Secrets.multi | trim | upper | base64 }}', 'VFdPCiJMSU5FUyI='],
  ])('applies %s', (_, template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test('renders every template, each to its key', () => {
    const rendered = renderTemplate({ a: '1{{Secrets.x}}', 'b.c': '2' }, new Map([['x', text('y')]]), new Set());
    expect([...rendered].map(([key, value]) => [key, value.asString()])).toEqual([
      ['a', '1y'],
      ['b.c', '2'],
    ]);
  });

  test('does not look at what a value holds', () => {
    expect(render('{{Secrets.x}}', { x: '{{Secrets.y}}{% if %}', y: 'z' })).toBe('{{Secrets.y}}{% if %}');
  });

  test('takes the exact name where others differ only in case', () => {
    expect(render('{{Secrets.TOKEN}}', { token: 'a', TOKEN: 'b', Token: 'c' })).toBe('b');
  });

  test('does not fold letters that only look like ASCII ones', () => {
    // U+212A, the Kelvin sign, is k in lower case elsewhere.
    expect(problem('{{Secrets.\u212Aey}}', { key: 'x' })).toContain('has no key');
  });

  test('an optional key that has no value needs a default', () => {
    const declared = new Set(['banner']);
    const rendered = renderTemplate({ out: '{{Secrets.Banner | trim | default: "none"}}' }, new Map(), declared);
    expect(rendered.get('out')?.asString()).toBe('none');
    const error = refusal(() => renderTemplate({ out: 'x {{Secrets.banner | upper}}' }, new Map(), declared));
    expect(error.message).toMatch(/^template\.data "out", line 1, column 3: this key has no value now/u);
  });

  test('a value that is not text goes through base64 only', () => {
    const values = new Map([['tls', SecretValue.fromBytes(Uint8Array.of(0xff, 0x00))]]);
    const rendered = renderTemplate({ out: '{{Secrets.tls | default: "x" | base64}}' }, values, new Set());
    expect(rendered.get('out')?.asString()).toBe('/wA=');
    for (const template of ['{{Secrets.tls}}', '{{Secrets.tls | upper}}', '{{Secrets.tls | uri | base64}}']) {
      const error = refusal(() => renderTemplate({ out: template }, values, new Set()));
      expect(error.reason).toBe('TemplateFailed');
      expect(error.message).toContain('the value is not UTF-8 text: put | base64 first');
    }
  });

  test('refuses a key that no Secret can have', () => {
    const error = refusal(() => renderTemplate({ 'a/b': '' }, new Map(), new Set()));
    expect(error.message).toContain('template.data "a/b"');
  });
});

describe('what a template that fails is told', () => {
  test('where it is: the key, the line and the column', () => {
    expect(problem('a\nbc {{Secrets.nope}}')).toMatch(/^template\.data "out", line 2, column 4: /u);
  });

  test.each([
    [
      'an unknown name',
      '{{Secrets.tokn}}',
      'has no key "tokn", did you mean "Token"? (keys: Token, a-b_c, db.password, ',
    ],
    ['a slip in a default', '{{Secrets.token | default: Secrets.tokn}}', 'has no key "tokn"'],
    [
      'an unknown filter',
      '{{Secrets.token | uper}}',
      'there is no filter "uper", did you mean upper? (filters: base64, default, ',
    ],
    ['a filter of liquid that is not ours', '{{Secrets.token | size}}', 'there is no filter "size"'],
    ['another variable', '{{ user }}', '"user" is unknown: the only variable is Secrets'],
    ['Secrets in another case', '{{ secrets.token }}', '"secrets" is unknown'],
    ['another variable as a default', '{{ Secrets.token | default: x }}', '"x" is unknown'],
    ['Secrets alone', '{{ Secrets }}', 'needs the name of a key'],
    ['a dot alone', '{{ Secrets. }}', 'needs the name of a key'],
    ['a name with a dot, unquoted', '{{Secrets.db.password}}', 'goes into brackets and quotes'],
    ['a name in brackets, unquoted', '{{Secrets[token]}}', 'goes into quotes'],
    ['a number in brackets', '{{Secrets[0]}}', 'goes into quotes'],
    ['nothing in brackets', '{{Secrets[]}}', 'goes into quotes'],
    ['more in brackets', '{{Secrets["token" x]}}', 'goes into quotes'],
    ['nothing', '{{ }}', 'write {{ Secrets.NAME }}'],
    ['three braces', '{{{ Secrets.token }}}', 'write {{ Secrets.NAME }}'],
    ['a word of liquid', '{{ nil }}', 'write {{ Secrets.NAME }}'],
    ['a number', '{{ 1 }}', 'write {{ Secrets.NAME }}'],
    ['an operator', '{{ Secrets.token == Secrets.token }}', 'write {{ Secrets.NAME }}'],
    ['two values', '{{ Secrets.token Secrets.token }}', 'write {{ Secrets.NAME }}'],
    ['a property of a text', '{{ "x".size }}', 'write {{ Secrets.NAME }}'],
    ['a bar without a filter', '{{ Secrets.token | }}', 'write {{ Secrets.NAME }}'],
    ['a comma', '{{ Secrets.token, }}', 'write {{ Secrets.NAME }}'],
    ['an argument too many', '{{ Secrets.token | upper: "x" }}', 'the filter upper takes no argument'],
    ['default without a value', '{{ Secrets.token | default }}', 'default needs one value'],
    ['default with two values', '{{ Secrets.token | default: "a", "b" }}', 'default needs one value'],
    ['default with a named value', '{{ Secrets.token | default: x: "a" }}', 'default needs one value'],
    ['braces that are not closed', 'x {{ Secrets.token }', 'is not closed by }}'],
    ['a quote that is not closed', '{{ Secrets["token] }}', 'is not closed by }}'],
  ])('%s', (_, template, message) => {
    expect(problem(template)).toContain(message);
  });

  test('two candidates that differ only in case, by name where they may be told', () => {
    const values = new Map([
      ['Token', text('a')],
      ['TOKEN', text('b')],
    ]);
    const failure = (listable: readonly string[]): string =>
      refusal(() => renderTemplate({ out: '{{Secrets.token}}' }, values, new Set(listable))).message;
    expect(failure(['Token', 'TOKEN'])).toContain(
      '2 keys that differ from "token" only in upper and lower case (TOKEN, Token)',
    );
    expect(failure(['Token'])).not.toContain('TOKEN');
  });

  test('no names but those that may be told, and at most twenty', () => {
    const names = Array.from({ length: 25 }, (_, number) => `key${number + 10}`);
    const values = new Map([...names, 'hidden-name'].map((name) => [name, text('x')]));
    const error = refusal(() => renderTemplate({ out: '{{Secrets.hidden-nam}}' }, values, new Set(names)));
    expect(error.message).toContain('key29 and 5 more; keys that come out of values are not told');
    expect(error.message).not.toContain('hidden-name');
    expect(error.message).not.toContain('key30');
  });

  test('a short form of a long name', () => {
    expect(problem(`{{Secrets.${'x'.repeat(10_000)}}}`).length).toBeLessThan(300);
  });
});

describe('checkTemplate', () => {
  test('finds nothing wrong with a template whose names are unknown yet', () => {
    expect(checkTemplate('{{Secrets.anything | uri}}')).toBeUndefined();
  });

  test.each([
    ['{{Secrets.x | uri', 'line 1, column 1: this {{ is not closed'],
    ['\n{{Secrets.x | url}}', 'line 2, column 15: there is no filter "url"'],
    ['x'.repeat(65_537), 'larger than 64 KiB'],
  ])('tells what is wrong whatever the values are', (template, expected) => {
    expect(checkTemplate(template)).toContain(expected);
  });
});
