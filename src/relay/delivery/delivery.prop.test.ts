/** JSON that always parses, whatever bytes a key is made of, and frame types that follow one rule. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChannelName, decodeUtf8, encodeUtf8, type SessionKey } from '../../base/index.ts';
import { goJsonByteString, goJsonString } from '../go-json.ts';
import { FAILURE_TEXTS, sendAnswer, type TargetError, type TargetFailure } from './delivery.ts';
import { isBinary } from './frame-type.ts';

const byteString = fc.uint8Array({ maxLength: 12 }).map((bytes) => String.fromCharCode(...bytes));
const anyUnits = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const failure = fc.constantFrom(...(Object.keys(FAILURE_TEXTS) as TargetFailure[]));
const targetError: fc.Arbitrary<TargetError> = fc.oneof(
  fc.record({ session: byteString.map((key) => key as SessionKey), failure }),
  fc.record({ channel: byteString.map((name) => name as ChannelName), failure }),
);

it('answers JSON that holds one entry for each error and channel', () => {
  const outcome = fc.record({
    errors: fc.array(targetError),
    channels: fc.array(
      fc.record({ channel: byteString.map((name) => name as ChannelName), delivered: fc.nat() }),
    ),
    delivered: fc.nat(),
    strict: fc.boolean(),
    compat: fc.constantFrom('released' as const, 'documented' as const),
  });
  fc.assert(
    fc.property(outcome, (facts) => {
      const answer = sendAnswer(facts);
      const parsed = JSON.parse(answer.body as string);
      expect(parsed.errors?.length ?? 0).toBe(facts.errors.length);
      expect(parsed.channels?.length ?? 0).toBe(facts.channels.length);
      expect(answer.status).toBe(facts.strict && facts.errors.length > 0 ? 400 : 200);
      expect(answer.status === 400 ? 'NG' : parsed.result).toBe(parsed.result);
    }),
  );
});

it('reads keys as the platform reads UTF-8, wherever they are UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = String.fromCharCode(...new TextEncoder().encode(text));
      expect(JSON.parse(goJsonByteString(bytes))).toBe(text);
    }),
  );
});

it('writes strings that parse back and hold nothing that HTML or old JavaScript trips over', () => {
  fc.assert(
    fc.property(fc.oneof(anyUnits, fc.string()), (text) => {
      const json = goJsonString(text);
      expect(JSON.parse(json)).toBe(decodeUtf8(encodeUtf8(text)));
      expect(
        [...json].filter((character) => character < ' ' || '<>&\u2028\u2029'.includes(character)),
      ).toEqual([]);
    }),
  );
});

it('is binary for one media type only, in any case and with any parameters', () => {
  const parameters = fc.string().map((text) => `;${text}`);
  fc.assert(
    fc.property(
      fc.constantFrom('application/octet-stream', ' Application/Octet-Stream\t'),
      parameters,
      (type, rest) => {
        expect(isBinary(type)).toBe(true);
        expect(isBinary(type + rest)).toBe(true);
        expect(isBinary(`x${type}`)).toBe(false);
        expect(isBinary(`text/plain;${type}`)).toBe(false);
      },
    ),
  );
  fc.assert(
    fc.property(fc.string(), (type) => {
      fc.pre(!type.toLowerCase().includes('application/octet-stream'));
      expect(isBinary(type)).toBe(false);
    }),
  );
  expect(isBinary(undefined)).toBe(false);
});
