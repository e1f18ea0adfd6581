/** The middle value; of an even number, the mean of the middle two. */
export function median(values: number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}

export type Ratio = { ours: number; theirs: number; ratio: number; rounds: number };

/**
 * Measures both sides in turn, so that a noisy neighbour meets both, and compares medians. The first round of
 * each warms caches up and is thrown away when there is more than one.
 */
export async function alternate(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Ratio> {
  const measured: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const warmUps = rounds > 1 ? 1 : 0;
  for (let round = 0; round < rounds + warmUps; round++) {
    const theirValue = await theirs();
    const ourValue = await ours();
    if (round < warmUps) continue;
    measured.theirs.push(theirValue);
    measured.ours.push(ourValue);
  }
  const [ourMedian, theirMedian] = [median(measured.ours), median(measured.theirs)];
  return { ours: ourMedian, theirs: theirMedian, ratio: ourMedian / theirMedian, rounds };
}
