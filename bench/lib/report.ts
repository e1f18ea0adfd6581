import { reaches, type Measurement } from './scenario.ts';

type Row = Measurement & { row: string; title: string };

/** Prints one line of the table: our figure, theirs, the ratio and whether the goal is reached. */
export function printMeasurement(measurement: Row): void {
  const { row, title, label, against, unit, ours, theirs, ratio, goal } = measurement;
  const wanted = 'atLeast' in goal ? `≥ ${goal.atLeast}×` : `≤ ${goal.atMost}×`;
  const mark = reaches(measurement) ? 'reached' : 'not yet';
  console.log(
    `${row.padEnd(5)} ${title}, ${label}: ${figure(ours)}${unit} against ${figure(theirs)}${unit} (${against}) ` +
      `= ${ratio.toFixed(2)}×, goal ${wanted}: ${mark}`,
  );
}

export function printSummary(rows: Row[]): void {
  const reached = rows.filter(reaches).length;
  console.log(
    `\n${reached} of ${rows.length} goals reached; medians of ${rows[0]?.rounds ?? 0} alternating rounds`,
  );
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
