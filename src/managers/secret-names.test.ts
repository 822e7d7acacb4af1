import { describe, expect, it } from 'vitest';
import { embeddedNames, prefixedNames } from './secret-names.ts';

const tags = new Map<string, string>();

describe('names behind a prefix', () => {
  const names = prefixedNames('prod/');

  it('have it before names, and not before ARNs', () => {
    expect([names.full('db', 'shop'), names.full('arn:aws:x', 'shop')]).toEqual(['prod/db', 'arn:aws:x']);
    expect([names.short({ secret: 'prod/db', tags }), names.short({ secret: 'other', tags })]).toEqual(['db', 'other']);
  });

  it('have it before everything that is found, and are as they are for access rules', () => {
    expect(names.prefix('arn:', 'shop')).toBe('prod/arn:');
    expect(names.ruled('DB')).toBe('DB');
  });
});

describe('names of embedded secrets', () => {
  it("are in the asker's namespace, or in one for all, in any spelling of case", () => {
    expect(embeddedNames(undefined).full('App/Config', 'shop')).toBe('shop/app/config');
    expect(embeddedNames('org').full('App/Config', 'shop')).toBe('org/app/config');
    expect(embeddedNames('org').prefix('App/', 'shop')).toBe('org/app/');
    expect(embeddedNames('org').ruled('App/Config')).toBe('app/config');
  });

  it('leave the namespace of the asker by no spelling', () => {
    expect(embeddedNames(undefined).full('../bank/db', 'shop')).toBe('shop/../bank/db');
    expect(embeddedNames(undefined).full('', 'shop')).toBe('shop/');
  });

  it('take no letter of another script for one of ASCII', () => {
    expect(embeddedNames(undefined).full('\u212Aey', 'shop')).toBe('shop/\u212Aey');
  });

  it('are shown as people wrote them', () => {
    const names = embeddedNames(undefined);
    expect(names.short({ secret: 'shop/app/config', name: 'App/CONFIG', tags })).toBe('App/CONFIG');
    expect(names.short({ secret: 'shop/app/config', tags })).toBe('app/config');
  });

  it('that nobody has are told with the command that creates them where they are looked for', () => {
    expect(embeddedNames('org').embedded?.missing('DB_PASSWORD', 'shop')).toBe(
      'there is no secret of this name in namespace org. To create it: keyferry put "DB_PASSWORD" --create -n org',
    );
  });
});
