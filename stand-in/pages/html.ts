/** Text that is HTML already. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** HTML with values in it: texts are escaped, HTML and lists of it are taken as they are. */
export function html(pieces: TemplateStringsArray, ...values: (string | number | Html | Html[])[]): Html {
  const written = values.map((value) => {
    if (value instanceof Html) return value.text;
    if (Array.isArray(value)) return value.map((part) => part.text).join('');
    return escape(String(value));
  });
  return new Html(pieces.map((piece, index) => piece + (written[index] ?? '')).join(''));
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
  :root { color-scheme: light dark; --ink: light-dark(#1d2433, #e8eaf0); --soft: light-dark(#5b6475, #a3abbb);
    --page: light-dark(#f6f5f1, #14171e); --card: light-dark(#fff, #1d212b); --line: light-dark(#dcdad2, #343a48);
    --accent: light-dark(#2f5d50, #7fc1ad); --on-accent: light-dark(#fff, #10211c); }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
  .mark { background: repeating-linear-gradient(135deg, #f3d36b 0 18px, #efc74a 18px 36px); color: #2b2100;
    padding: .6rem 1rem; text-align: center; font-weight: 600; }
  main { max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
  main.wide { max-width: 70rem; }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem; margin-bottom: 1rem; }
  h1 { font-size: 1.35rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
  .amount { font-size: 2rem; font-weight: 650; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
  p { margin: .25rem 0 .75rem; } .soft { color: var(--soft); }
  form.stack { display: grid; gap: .6rem; } form.row { display: inline-flex; gap: .4rem; align-items: center; margin: .15rem; }
  button { font: inherit; padding: .6rem .9rem; border-radius: .5rem; border: 1px solid var(--line);
    background: var(--card); color: var(--ink); cursor: pointer; }
  .row button { padding: .2rem .6rem; }
  button.first { background: var(--accent); color: var(--on-accent); border-color: transparent; font-weight: 600; }
  button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  .note { border-left: 4px solid #c2562d; padding: .5rem .75rem; margin: 0 0 1rem; }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
  th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
  input { font: inherit; padding: .3rem .5rem; width: 6rem; border: 1px solid var(--line); border-radius: .4rem;
    background: var(--card); color: var(--ink); }
  label { display: inline-flex; gap: .4rem; align-items: center; } code { font-size: .85em; overflow-wrap: anywhere; }
`;

/** A whole page, marked as one of the stand-in. */
export function page(title: string, body: Html, { isWide = false } = {}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div class="mark" role="note">Stand-in for payments: no money moves here</div>
<main${isWide ? ' class="wide"' : ''}>
${body.text}
</main>
</body>
</html>
`;
}

/** An amount in minor units as people read it: `EUR 5.00`. */
export function amountText(cents: number, currency: string): string {
  const code = currency.toUpperCase();
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: code, currencyDisplay: 'code' });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(cents / 10 ** digits).replace(/\u00a0/g, ' ');
}
