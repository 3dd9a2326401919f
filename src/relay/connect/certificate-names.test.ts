/** Which certificate belongs to a server name. */
import { describe, expect, it } from 'vitest';
import { CertificateNames } from './certificate-names.ts';

const names = new CertificateNames([
  ['chat.example', '*.chat.example'],
  ['eu.chat.example', '*.Other.Example', '*'],
  ['chat.example', 'late.example'],
]);

describe('CertificateNames', () => {
  it.each([
    ['chat.example', 0],
    ['CHAT.example.', 0],
    ['us.chat.example', 0],
    ['eu.chat.example', 1],
    ['a.other.example', 1],
    ['late.example', 2],
  ])('finds %s', (name, index) => {
    expect(names.find(name)).toBe(index);
  });

  it.each([
    ['a.b.chat.example'],
    ['other.example'],
    ['.chat.example'],
    ['*.chat.example'],
    ['example'],
    ['*'],
    [''],
    ['.'],
  ])('has no certificate for "%s"', (name) => {
    expect(names.find(name)).toBeNull();
  });
});
