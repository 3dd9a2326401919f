/**
 * Takes the real world away while a seed runs: a clock, timer or random number of the machine would
 * make two runs of one seed differ, and is therefore an error at the place that asks for it.
 */

const POISONED = [
  [Date, 'now'],
  [Math, 'random'],
  [performance, 'now'],
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [globalThis, 'setImmediate'],
  [globalThis, 'queueMicrotask'],
] as const;

/** Runs something synchronous that may use only what the simulator gives it. */
export function withoutWorld<Value>(run: () => Value): Value {
  const kept = POISONED.map(([owner, name]) => Reflect.get(owner, name) as unknown);
  for (const [owner, name] of POISONED) {
    Reflect.set(owner, name, () => {
      throw new Error(`${name} is of the real world, and the simulated one has its own`);
    });
  }
  try {
    return run();
  } finally {
    POISONED.forEach(([owner, name], place) => {
      Reflect.set(owner, name, kept[place]);
    });
  }
}
