import { assert, constantFrom, dictionary, jsonValue, property, string, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretValue } from '../../../managers/secret-value.ts';
import { ContentError } from './content-error.ts';
import { decodeBase64, extractAll, extractProperty } from './property.ts';
import { CANARY, everythingIn, leaks, refusal, refusalOrNothing, text } from './testing.ts';

function extract(json: string, path: string): string {
  return extractProperty(text(json), path).asString();
}

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels)}"x"${'}'.repeat(levels)}`;
}

/** Each object has two names that lead on along `a.a.a`: twice as many objects at each level. */
function bush(levels: number): string {
  return levels === 0 ? '1' : `{"a":${bush(levels - 1)},"a.a":${bush(levels - 1)}}`;
}

function path(levels: number): string {
  return Array.from({ length: levels }, () => 'a').join('.');
}

function decoded(encoded: string): readonly number[] {
  return [...decodeBase64(text(encoded)).asBytes()];
}

const SPECIAL = /__proto__|constructor|prototype/u;

describe('extractProperty', () => {
  test.each([
    ['a string as it is', '{"a":"x\\ny"}', 'a', 'x\ny'],
    ['an empty string', '{"a":""}', 'a', ''],
    ['a nested property', '{"user":{"name":"ann"}}', 'user.name', 'ann'],
    ['an item of an array by its number', '{"users":[{"name":"ann"},{"name":"bob"}]}', 'users.1.name', 'bob'],
    ['an item of an array at the top', '["a","b"]', '1', 'b'],
    ['a name with dots before the path', '{"a.b":"literal","a":{"b":"nested"}}', 'a.b', 'literal'],
    ['the longest name with dots first', '{"a.b":{"c":"longest"},"a":{"b":{"c":"short"}}}', 'a.b.c', 'longest'],
    ['a name with dots below others', '{"x":{"a.b":{"c":"deep"}}}', 'x.a.b.c', 'deep'],
    ['the path where the longer name leads nowhere', '{"a.b":{"x":1},"a":{"b":{"c":"path"}}}', 'a.b.c', 'path'],
    ['a number name in an object', '{"1":"one"}', '1', 'one'],
    ['a name that is empty', '{"":"nameless"}', '', 'nameless'],
    ['a name that is written with escapes', '{"\\u0061":"x"}', 'a', 'x'],
    ['a boolean', '{"a":true}', 'a', 'true'],
    ['every digit of a big integer', '{"a":12345678901234567890123}', 'a', '12345678901234567890123'],
    ['a decimal as it is written', '{"a":1.0}', 'a', '1.0'],
    ['an exponent as it is written', '{"a":1E+02}', 'a', '1E+02'],
    [
      'an object without whitespace',
      '{"a": { "b" : [ 1.0 , " \\" x" ] , "c" : { } } }',
      'a',
      '{"b":[1.0," \\" x"],"c":{}}',
    ],
    ['an array without whitespace', '{"a":[ ]}', 'a', '[]'],
    ['unicode', '{"grüße":"čau 🙂"}', 'grüße', 'čau 🙂'],
  ])('takes %s', (_, json, path, expected) => {
    expect(extract(json, path)).toBe(expected);
  });

  test('reads a value with a byte order mark and space around it', () => {
    expect(extract('\uFEFF\n {"a":"x"} \n', 'a')).toBe('x');
  });

  test.each([
    ['a name that is not there', '{"a":1}', 'b', 'PropertyNotFound'],
    ['another case', '{"a":1}', 'A', 'PropertyNotFound'],
    ['a path through a string', '{"a":"x"}', 'a.length', 'PropertyNotFound'],
    ['a property of an array', '{"a":[1]}', 'a.length', 'PropertyNotFound'],
    ['an index past the end', '{"a":[1]}', 'a.1', 'PropertyNotFound'],
    ['an index with a leading zero', '{"a":[1]}', 'a.00', 'PropertyNotFound'],
    ['a negative index', '{"a":[1]}', 'a.-1', 'PropertyNotFound'],
    ['an inherited name', '{"a":1}', 'toString', 'PropertyNotFound'],
    ['null', '{"a":null}', 'a', 'InvalidValue'],
    ['a value that is not JSON', 'hello', 'a', 'InvalidValue'],
    ['a JSON string', '"hello"', 'a', 'InvalidValue'],
    ['an empty value', '', 'a', 'InvalidValue'],
    ['a property that stands twice', '{"a":1,"a":2}', 'a', 'InvalidValue'],
    ['half a surrogate pair', '{"a":"\\ud800"}', 'a', 'InvalidValue'],
    ['a path without end', '{"a":1}', 'a.'.repeat(1000), 'InvalidValue'],
  ])('refuses %s', (_, json, path, reason) => {
    expect(refusal(() => extract(json, path)).reason).toBe(reason);
  });

  test('does not mind a repeated name beside the path', () => {
    expect(extract('{"b":1,"b":2,"a":"x"}', 'a')).toBe('x');
  });

  test('names the path that was not found', () => {
    const error = refusal(() => extract('{"user":{}}', 'user.name'));
    expect(error.message).toContain('has no property "user.name"');
  });

  test('refuses bytes that are not UTF-8', () => {
    const value = SecretValue.fromBytes(Uint8Array.of(0x7b, 0xff, 0x7d));
    expect(refusal(() => extractProperty(value, 'a')).reason).toBe('InvalidValue');
  });

  test('takes from a value of just 1 MiB and refuses a larger one', () => {
    const filler = 'x'.repeat(1_048_576 - '{"a":""}'.length);
    expect(extract(`{"a":"${filler}"}`, 'a')).toBe(filler);
    expect(refusal(() => extract(`{"a":"${filler}x"}`, 'a')).reason).toBe('LimitExceeded');
  });

  test('takes JSON of 32 levels and refuses 33', () => {
    expect(extract(nested(32), path(32))).toBe('x');
    expect(refusal(() => extract(nested(33), path(33))).reason).toBe('LimitExceeded');
  });

  test('stops to look for a path that every object of a large value begins', () => {
    const many = Array.from({ length: 256 }, () => 'a').join('.');

    expect(refusal(() => extractProperty(text(bush(14)), many))).toMatchObject({
      reason: 'LimitExceeded',
      message: expect.stringContaining('can be read in too many ways'),
    });
    expect(refusal(() => extractProperty(text(bush(6)), many)).reason).toBe('PropertyNotFound');
  });

  test('agrees with JSON.parse on every property of any JSON object', () => {
    const objects = dictionary(string({ unit: 'grapheme' }), jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
    const spaces = constantFrom(undefined, 1, '\t', '\r\n ');
    const agrees = property(objects, spaces, (object, space) => {
      const json = JSON.stringify(object, undefined, space);
      return Object.entries(object)
        .filter(([name, value]) => value !== null && !SPECIAL.test(name))
        .every(([name, value]) => extract(json, name) === (typeof value === 'string' ? value : JSON.stringify(value)));
    });
    expect(() => {
      assert(agrees);
    }).not.toThrow();
  });
});

describe('extractAll', () => {
  test('takes each property of an object', () => {
    const all = extractAll(text('{"user":"ann","port":5432,"tls":{"on": true},"1":"one"}'));
    const found = [...all].map(([key, value]) => [key, value.asString()]);
    expect(found).toEqual([
      ['user', 'ann'],
      ['port', '5432'],
      ['tls', '{"on":true}'],
      ['1', 'one'],
    ]);
  });

  test('takes an empty object', () => {
    expect(extractAll(text(' { } ')).size).toBe(0);
  });

  test('gives the keys in the style that is asked for', () => {
    const all = extractAll(text('{"app/db password":"x"}'), { style: 'EnvVar', stripPrefix: 'app/' });
    expect([...all.keys()]).toEqual(['DB_PASSWORD']);
  });

  test.each([
    ['an array', '[1]', 'not a JSON object'],
    ['a string', '"x"', 'not a JSON object'],
    ['text', 'x', 'not JSON'],
    ['a name that is no key', '{"ok":1,"a b":2,"ä":3}', 'has 2 properties with a name'],
    ['a name that is empty', '{"":2}', 'has 1 property with a name'],
    ['a name that stands twice', '{"a":1,"\\u0061":2}', 'has 1 property that stands twice'],
    ['null', '{"a":null,"b":1}', 'has 1 property that is null'],
  ])('refuses %s', (_, json, message) => {
    const error = refusal(() => extractAll(text(json)));
    expect(error.reason).toBe('InvalidValue');
    expect(error.message).toContain(message);
  });

  test('refuses two names that get the same key in a style', () => {
    const error = refusal(() => extractAll(text('{"a.b":1,"a-b":2,"c":3}'), { style: 'EnvVar' }));
    expect(error.message).toContain('has 1 property with the same key as another');
  });
});

describe('decodeBase64', () => {
  test.each([
    ['the standard alphabet', '+/+/', [0xfb, 0xff, 0xbf]],
    ['the URL-safe alphabet', '-_-_', [0xfb, 0xff, 0xbf]],
    ['padding', 'YQ==', [0x61]],
    ['no padding', 'YQ', [0x61]],
    ['space around it', ' \nYWI=\n', [0x61, 0x62]],
    ['lines', 'YW\nJj\r\nZA==', [0x61, 0x62, 0x63, 0x64]],
    ['nothing', '', []],
  ])('reads %s', (_, encoded, expected) => {
    expect(decoded(encoded)).toEqual(expected);
  });

  test.each([
    ['other characters', 'YW!j'],
    ['a space inside', 'YW Jj'],
    ['both alphabets at once', '+/-_'],
    ['a length that cannot be', 'YWJjZ'],
    ['too little padding', 'YQ='],
    ['too much padding', 'YWI=='],
    ['padding in the middle', 'YQ==YQ=='],
    ['only padding', '='],
    ['bits that no encoder leaves', 'YR=='],
  ])('refuses %s', (_, encoded) => {
    expect(refusal(() => decoded(encoded)).reason).toBe('InvalidValue');
  });

  test('refuses bytes that are not text, and more than 1 MiB', () => {
    expect(refusal(() => decodeBase64(SecretValue.fromBytes(Uint8Array.of(0xff)))).reason).toBe('InvalidValue');
    expect(refusal(() => decoded('A'.repeat(1_048_577))).reason).toBe('LimitExceeded');
  });

  test('gives back any bytes that were encoded either way', () => {
    const returns = property(uint8Array(), constantFrom('base64', 'base64url'), (bytes, encoding) =>
      Buffer.from(decoded(Buffer.from(bytes).toString(encoding))).equals(bytes),
    );
    expect(() => {
      assert(returns);
    }).not.toThrow();
  });
});

describe('what errors tell', () => {
  const takers = [
    ['extractProperty', (value: SecretValue) => extractProperty(value, 'wanted'), 14],
    ['extractAll', (value: SecretValue) => extractAll(value), 14],
    ['extractAll in a style', (value: SecretValue) => extractAll(value, { style: 'EnvVar', stripPrefix: CANARY }), 13],
    ['decodeBase64', (value: SecretValue) => decodeBase64(value), 14],
  ] as const;
  const values = [
    CANARY,
    `{"wanted": ${CANARY}}`,
    `{"wanted": "${CANARY}"`,
    `{"wanted":"${CANARY}",}`,
    `{"wanted":"${CANARY}\u0000"}`,
    `["${CANARY}"]x`,
    `"${CANARY}"`,
    `{"${CANARY}": null}`,
    `{"${CANARY} ": 1}`,
    `{"${CANARY}":1,"${CANARY}":2}`,
    `{"wanted":"${CANARY}","wanted":"${CANARY}"}`,
    `{"wanted":"${CANARY}\\ud800"}`,
    `${'['.repeat(100)}"${CANARY}"`,
    `{"__proto__":"${CANARY}"}`,
  ];

  test.each(takers)('security rule 16: %s repeats nothing of a value that it refuses', (_, take, refused) => {
    const errors = values
      .map((value) => refusalOrNothing(() => take(text(value))))
      .filter((error) => error !== undefined);
    expect(errors).toHaveLength(refused);
    expect(errors.filter((error) => leaks(error))).toEqual([]);
  });

  test('security rule 16: the scan for the canary finds a part of it wherever an error has it', () => {
    const part = CANARY.slice(5, 14);
    const hidden = new ContentError('InvalidValue', 'fixed');
    Object.defineProperty(hidden, 'cause', { value: new Error(part), enumerable: false });
    expect(leaks(hidden)).toBe(true);
    expect(leaks(new ContentError('InvalidValue', part))).toBe(true);
    expect(leaks(new ContentError('InvalidValue', 'fixed'))).toBe(false);
  });

  test('security rule 16: the parser itself would quote the value', () => {
    let quoted = '';
    try {
      JSON.parse(CANARY);
    } catch (error) {
      quoted = String(error);
    }
    expect(quoted).toContain(CANARY.slice(0, 8));
  });

  test('security rule 16: a property that is not found tells none of those that are there', () => {
    const error = refusal(() => extract('{"hidden_token":{"inner_name":1}}', 'hidden_tokem.inner_nam'));
    expect(everythingIn(error)).not.toMatch(/hidden_token|inner_name\b/u);
  });

  test('security rule 16: a nesting bomb is refused with a text of ours', () => {
    const error = refusal(() => extract('['.repeat(500_000), '0'));
    expect(error.reason).toBe('LimitExceeded');
  });
});

describe('names that mean something to objects', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'a.__proto__', 'constructor.prototype.x'])(
    'security rule 17: the path %s is refused even where the value has it',
    (path) => {
      const json = '{"__proto__":"x","constructor":{"prototype":{"x":"y"}},"prototype":"x","a":{"__proto__":"x"}}';
      const error = refusal(() => extract(json, path));
      expect(error.reason).toBe('InvalidValue');
      expect(error.message).toContain('is not allowed in a property path');
    },
  );

  test.each(['hasOwnProperty', 'toString', 'valueOf', '__defineGetter__', '__lookupSetter__'])(
    'security rule 17: %s is found only where the value itself has it',
    (name) => {
      expect(refusal(() => extract('{"a":1}', name)).reason).toBe('PropertyNotFound');
      expect(extract(`{"${name}":"own"}`, name)).toBe('own');
    },
  );

  test('security rule 17: extractAll refuses such names and changes no prototype', () => {
    const json = '{"__proto__":{"polluted":"yes"},"constructor":1,"prototype":2,"ok":3}';
    expect(refusal(() => extractAll(text(json))).message).toContain('has 3 properties');
    expect(refusal(() => extractAll(text(json), { style: 'EnvVar' })).message).toContain('has 3 properties');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
