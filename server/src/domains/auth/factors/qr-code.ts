import { create } from 'qrcode';

/** A QR code as the path of an SVG of `size` units, with the white margin that scanners need. */
export type QrCode = { size: number; path: string };

const margin = 4;

/** Draws a text as a QR code: one rectangle for each run of dark squares. */
export function drawQrCode(text: string): QrCode {
  const { size, data } = create(text, { errorCorrectionLevel: 'M' }).modules;
  const rows = Array.from({ length: size }, (_, y) => {
    const row = [...data.subarray(y * size, (y + 1) * size)].join('');
    return [...row.matchAll(/1+/g)].map(({ 0: run, index }) => {
      const width = run.length;
      return `M${index + margin} ${y + margin}h${width}v1h-${width}z`;
    });
  });
  return { size: size + 2 * margin, path: rows.flat().join('') };
}
