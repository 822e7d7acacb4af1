import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { SecretValue } from '../../../managers/secret-value.ts';
import { checkTemplate, renderTemplate } from './template.ts';
import { CANARY, leaks, refusal, text } from './testing.ts';

const MiB = 1_048_576;

function render(template: string, values: ReadonlyMap<string, SecretValue> = new Map()): string {
  return renderTemplate({ out: template }, values, new Set(values.keys())).get('out')?.asString() ?? '';
}

describe('templates can only substitute and filter', () => {
  test.each([
    '{% include "/var/run/secrets/kubernetes.io/serviceaccount/token" %}',
    '{% include "package.json" %}',
    '{%- render "package.json" -%}',
    '{% layout "package.json" %}',
    '{% for i in (1..1000000000) %}x{% endfor %}',
    '{% assign x = (1..1000000000) | join: "," %}{{ x }}',
    '{% capture x %}y{% endcapture %}{{ x }}',
    '{% liquid\n echo "x" %}',
    '{% echo "x" %}',
    '{% tablerow i in (1..9) %}{% endtablerow %}',
    '{% raw %}{{ x }}{% endraw %}',
    '{% raw %}{{ x',
    '{% comment %}x{% endcomment %}',
    '{%# note %}',
    '{% increment x %}',
    '{% unknown %}',
    '{% %}',
    '{%%}',
    '{% if',
    'text {% ',
  ])('security rule 14: the tag %s is refused', (template) => {
    expect(checkTemplate(template)).toContain('tags ({% ... %}) are not available');
    expect(refusal(() => render(template)).reason).toBe('TemplateFailed');
  });

  test.each([
    '{{ (1..1000000000) }}',
    '{{ (1..1000000000) | json }}',
    '{{ "a" | default: (1..1000000000) }}',
    '{{ Secrets[(1..1000000000)] }}',
  ])('security rule 14: the range %s is refused', (template) => {
    expect(checkTemplate(template)).toMatch(/^line 1, column \d+: /u);
  });

  test.each([
    'append',
    'date',
    'join',
    'size',
    'first',
    'map',
    'where',
    'replace',
    'split',
    'inspect',
    'raw',
    'sha256',
    'strftime',
  ])('security rule 14: the filter %s of liquidjs is not there', (name) => {
    expect(checkTemplate(`{{ "x" | ${name} }}`)).toContain(`there is no filter "${name}"`);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
    'security rule 14: the filter %s is not there',
    (name) => {
      expect(checkTemplate(`{{ "x" | ${name} }}`)).toContain(`there is no filter "${name}"`);
    },
  );

  test.each(['process', 'global', 'globalThis', 'this', 'self', 'env', 'forloop', 'block', 'constructor', '__proto__'])(
    'security rule 14: the variable %s is not there',
    (name) => {
      expect(checkTemplate(`{{ ${name} }}`)).toContain('the only variable is Secrets');
    },
  );
});

describe('what a template can use up', () => {
  test('security rule 14: a template is at most 64 KiB, counted in bytes', () => {
    expect(render('x'.repeat(65_536))).toHaveLength(65_536);
    expect(refusal(() => render('ä'.repeat(32_769))).reason).toBe('LimitExceeded');
  });

  test('security rule 14: all templates together make at most 1 MiB', () => {
    const values = new Map([['half', text('x'.repeat(MiB / 2))]]);
    const two = { a: '{{Secrets.half}}', b: '{{Secrets.half}}' };
    expect(renderTemplate(two, values, new Set()).get('b')?.size).toBe(MiB / 2);
    const error = refusal(() => renderTemplate({ ...two, c: 'x' }, values, new Set()));
    expect(error.reason).toBe('LimitExceeded');
    expect(error.message).toMatch(/^template\.data "c", /u);
  });

  test('security rule 14: output is counted in bytes', () => {
    const values = new Map([['wide', text('€'.repeat(MiB / 3))]]);
    expect(render('{{Secrets.wide}}', values)).toHaveLength(Math.floor(MiB / 3));
    expect(refusal(() => render('{{Secrets.wide}}€', values)).reason).toBe('LimitExceeded');
  });

  test.each([
    ['a value repeated', '{{Secrets.big}}'.repeat(4000), 'more than 1 MiB'],
    ['a filter that doubles, repeated', `{{Secrets.quotes${' | json'.repeat(60)}}}`, 'larger than 1 MiB'],
    ['a filter repeated', `{{Secrets.big${' | upper'.repeat(8000)} | default: "x"}}`, 'too much work'],
    ['a default repeated', `{{Secrets.big${' | default: Secrets.big'.repeat(2500)}}}`, 'too much work'],
    ['large values that are dropped', `{{Secrets.big}}{{"" | default: Secrets.big}}`.repeat(2), 'more than 1 MiB'],
  ])('security rule 14: %s stops at a limit', (_, template, message) => {
    const values = new Map([
      ['big', text('x'.repeat(MiB / 2))],
      ['quotes', text('"'.repeat(1000))],
    ]);
    const error = refusal(() => render(template, values));
    expect(error.reason).toBe('LimitExceeded');
    expect(error.message).toContain(message);
  });

  test.each(['{{', '{{[', '{{a[', '{{(', '{{"', "{{'", '{{-', '{{a|', '{{ Secrets', '{%', '{% raw %}', '{', '|', '"'])(
    'security rule 14: %s over and over is read to an end',
    (piece) => {
      const template = piece.repeat(Math.floor(65_536 / piece.length));
      expect(() => checkTemplate(template)).not.toThrow();
      expect(() => checkTemplate(`{{${template.slice(4)}}}`)).not.toThrow();
    },
  );

  test.each(['[', '(', 'a[', 'Secrets[', '((', '["a"'])(
    'security rule 14: %s nested without end is refused in our words',
    (piece) => {
      const template = `{{${piece.repeat(Math.floor(60_000 / piece.length))}}}`;
      expect(checkTemplate(template)).toMatch(/^line 1, column 1: (?:write|Secrets|a name|this|")/u);
    },
  );
});

describe('what a failed template tells', () => {
  test.each([
    '{{Secrets.value}}',
    '{{Secrets.value | upper}}',
    '{{Secrets.value | json | uri}}',
    '{{Secrets.text | nope}}',
    '{{Secrets.text}}{{Secrets.nope}}',
    '{{Secrets.text}}{% if Secrets.text %}',
    '{{Secrets.text}} {{ Secrets["',
    '{{Secrets.text | default: Secrets.nope}}',
    '{{Secrets.huge}}',
    `{{Secrets.huge | json | json}}`,
    `{{Secrets.text${' | json'.repeat(60)}}}`,
    '{{Secrets.value | default: "x" | trim}}',
  ])('security rule 16: %s tells nothing of a value', (template) => {
    const bytes = Buffer.concat([Buffer.from(CANARY), Uint8Array.of(0xff)]);
    const values = new Map([
      ['value', SecretValue.fromBytes(bytes)],
      ['text', text(`"${CANARY}"`)],
      ['huge', text(CANARY.repeat(60_000))],
    ]);
    expect(leaks(refusal(() => render(template, values)))).toBe(false);
  });

  test('security rule 16: a key that stands inside a value is neither listed nor suggested', () => {
    const values = new Map([
      [CANARY, text('x')],
      [CANARY.toUpperCase(), text('y')],
    ]);
    const slip = CANARY.slice(0, -1);
    const unknown = refusal(() => renderTemplate({ out: '{{Secrets.nope}}' }, values, new Set()));
    const near = refusal(() => renderTemplate({ out: `{{Secrets.${slip}}}` }, values, new Set()));
    const either = refusal(() => renderTemplate({ out: `{{Secrets.${CANARY.toLowerCase()}}}` }, values, new Set()));
    expect(leaks(unknown)).toBe(false);
    expect(near.message).not.toContain(CANARY);
    expect(leaks(either)).toBe(false);
  });
});

describe('names that mean something to objects and to liquid', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'hasOwnProperty',
    'size',
    'first',
    'last',
    'length',
    'then',
  ];

  test.each(names)('security rule 17: Secrets.%s is a name like any other, and unknown', (name) => {
    expect(refusal(() => render(`{{Secrets.${name}}}`, new Map([['a', text('x')]]))).message).toContain(
      `has no key "${name}"`,
    );
    expect(refusal(() => render(`{{Secrets["${name}"]}}`, new Map([['a', text('x')]]))).reason).toBe('TemplateFailed');
  });

  test.each(['size', 'first', 'last', 'length', 'then', 'toString', 'nil', 'true'])(
    'security rule 17: a key %s gives its value',
    (name) => {
      expect(render(`{{Secrets.${name}}}`, new Map([[name, text('mine')]]))).toBe('mine');
    },
  );

  test.each(['__proto__', 'constructor', 'prototype'])('security rule 17: no template makes the key %s', (key) => {
    const templates = Object.fromEntries([[key, 'x']]);
    const error = refusal(() => renderTemplate(templates, new Map(), new Set()));
    expect(error.message).toContain("can't be a key");
  });

  test('security rule 17: two keys that differ only in case are an error where neither is named exactly', () => {
    const values = new Map([
      ['Key', text('a')],
      ['KEY', text('b')],
    ]);
    expect(refusal(() => render('{{Secrets.key}}', values)).reason).toBe('TemplateFailed');
  });
});

test('security rule 22: templates render in a process that makes no code from strings and has no __proto__', () => {
  const script = `
    const { renderTemplate } = await import(${JSON.stringify(new URL('template.ts', import.meta.url).href)});
    const { SecretValue } = await import(${JSON.stringify(new URL('../../../managers/secret-value.ts', import.meta.url).href)});
    const values = new Map([['user', SecretValue.fromString('a@b')]]);
    const rendered = renderTemplate({ out: '{{Secrets.USER | uri}} {{"" | default: "x"}}' }, values, new Set());
    process.stdout.write(rendered.get('out').asString());
  `;
  const flags = ['--disallow-code-generation-from-strings', '--disable-proto=delete', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8', timeout: 30_000 });
  expect(output).toBe('a%40b x');
});
