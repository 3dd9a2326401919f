/** The figures of this very process. */
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readHost, systemTimers, watchVitals } from './index.ts';

test('tells the heap with its buffers', () => {
  const read = watchVitals({ descriptorsMax: () => null, descriptorsExcepted: () => 0 });
  const before = read();
  const buffer = Buffer.alloc(256 * 1_024 * 1_024, 1);
  const after = read();
  expect(before).toMatchObject({ descriptors: null, descriptorsMax: null });
  expect(after.heapBytesMax).toBeGreaterThan(after.heapBytes / 10);
  expect(after.heapBytes - before.heapBytes).toBeGreaterThan(buffer.length / 2);
});

test('counts descriptors, without those that are excepted', async () => {
  const { descriptorsMax } = readHost();
  let excepted = 0;
  const read = watchVitals({ descriptorsMax: () => descriptorsMax, descriptorsExcepted: () => excepted });
  await expect.poll(() => read().descriptors).toBeGreaterThan(2);
  const before = read().descriptors as number;
  excepted = 2;
  expect(read()).toMatchObject({ descriptors: before - 2, descriptorsMax });
  excepted = 1e9;
  expect(read().descriptors).toBe(0);
});

test('sees files that are opened', async () => {
  const watched = { descriptorsMax: () => 1e6, descriptorsExcepted: () => 0 };
  await expect.poll(() => watchVitals(watched)().descriptors).toBeGreaterThan(2);
  const before = watchVitals(watched)().descriptors as number;
  const files = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
  const after = watchVitals(watched)().descriptors as number;
  for (const file of files) closeSync(file);
  expect(after - before).toBeGreaterThan(25);
});

test('tells how late the event loop is in the middle of its turns', async () => {
  const read = watchVitals({ descriptorsMax: () => null, descriptorsExcepted: () => 0 });
  read();
  for (let turn = 0; turn < 5; turn++) {
    const untilMs = performance.now() + 60;
    while (performance.now() < untilMs);
    await new Promise<void>((resolve) => systemTimers.after(0, resolve));
  }
  expect(read().lagMs).toBeGreaterThan(20);
});
