import { expect, test } from 'vitest';
import { createKnownContents } from './known-contents.ts';

test('a content is known from when it was noted until another is', () => {
  const contents = createKnownContents();
  expect(contents.isKnown('shop/api-db', '1:a')).toBe(false);
  contents.note('shop/api-db', '1:a');
  expect(contents.isKnown('shop/api-db', '1:a')).toBe(true);
  expect(contents.isKnown('shop/other', '1:a')).toBe(false);
  contents.note('shop/api-db', '1:b');
  expect(contents.isKnown('shop/api-db', '1:a')).toBe(false);
});

test('a shared target has no content to know, and a reference that goes is forgotten', () => {
  const contents = createKnownContents();
  contents.note('shop/api-db', '1:a');
  contents.note('shop/api-db', undefined);
  expect(contents.isKnown('shop/api-db', '1:a')).toBe(false);
  contents.note('shop/api-db', '1:a');
  contents.forget('shop/api-db');
  expect(contents.isKnown('shop/api-db', '1:a')).toBe(false);
});
