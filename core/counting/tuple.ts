// A short list of dictionary numbers as a text, two characters a number. The text is its own key in a map, and takes a
// third of the memory of an array with a key made of it. A Day of many small merchants has hundreds of thousands.

const UNIT = 0x10000;

export function packTuple(numbers: readonly number[]): string {
  const units = new Array<number>(numbers.length * 2);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] as number;
    units[index * 2] = Math.floor(number / UNIT);
    units[index * 2 + 1] = number % UNIT;
  }
  return String.fromCharCode(...units);
}

/** One of its numbers; undefined beyond its end. */
export function tupleAt(packed: string, index: number): number | undefined {
  const at = index * 2;
  return at < packed.length ? packed.charCodeAt(at) * UNIT + packed.charCodeAt(at + 1) : undefined;
}

/** Its numbers from an index on. */
export function unpackTuple(packed: string, from = 0): number[] {
  const numbers: number[] = [];
  for (let index = from; index * 2 < packed.length; index++) numbers.push(tupleAt(packed, index) as number);
  return numbers;
}
