import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toTextCell } from './csv.ts';

const pieces = fc.constantFrom(...Array.from('=+-@＝; |"\',\t\r\nx1'));

test('wherever else a spreadsheet splits, and whatever it drops in front, no cell begins a formula', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (text) => {
      for (const cell of toTextCell(text.join('')).split(/[;|\t\r\n]/)) {
        expect(cell).not.toMatch(/^["\s]*[=+\-@＝]/);
      }
    }),
    { numRuns: 2000 },
  );
});
